"""Where a name leads: the one place that knows the order in which names are looked for."""

from __future__ import annotations

from collections.abc import Sequence

from llamero.models.aliases import Destination, ListedModel, LocalDestination
from llamero.models.llama import LlamaCppConfig
from llamero.services.catalog import ModelCatalog


class Router:
    """Resolves names of models."""

    def __init__(self, catalog: ModelCatalog) -> None:
        self._catalog = catalog

    async def resolve(self, name: str) -> Destination:
        """Return where `name` leads. Raises ModelNotFound."""
        return LocalDestination(alias=name, config=self._catalog.config(name))

    async def listed(self) -> Sequence[ListedModel]:
        """Every name that clients may ask for, once, in the order in which it is shown."""
        return tuple([_listed(self._catalog.config(model.alias)) for model in self._catalog.models()])

    async def find(self, name: str) -> ListedModel:
        """Return what is listed under `name`. Raises ModelNotFound."""
        return _listed(self._catalog.config(name))


def _listed(config: LlamaCppConfig) -> ListedModel:
    return ListedModel(id=config.model.alias, embedding=config.embedding, path=config.model.path)
