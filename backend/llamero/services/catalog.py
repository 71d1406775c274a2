"""The models that can be named: each an alias with its configuration, the demo among them.

Invariant: an alias names one file. A second file of the same name gets a number behind its name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from llamero.models.errors import ModelNotFound
from llamero.models.llama import LlamaCppConfig, ModelId


class ModelCatalog:
    """Aliases in the order in which they became known."""

    def __init__(self) -> None:
        self._configs: dict[str, LlamaCppConfig] = {}

    def add_file(self, path: Path) -> LlamaCppConfig:
        """Know a model file by its name; the same file keeps its alias."""
        absolute = str(path.absolute())
        for config in self._configs.values():
            if config.model.path == absolute:
                return config
        alias, number = path.stem, 2
        while alias in self._configs:
            alias, number = f"{path.stem}-{number}", number + 1
        return self.add(LlamaCppConfig(model=ModelId(alias=alias, path=absolute)))

    def add(self, config: LlamaCppConfig) -> LlamaCppConfig:
        """Know a model under its alias, replacing what was known under it."""
        self._configs[config.model.alias] = config
        return config

    def models(self) -> Sequence[ModelId]:
        """Every model, in the order in which it is listed."""
        return tuple(config.model for config in self._configs.values())

    def find(self, name: str) -> ModelId:
        """Return the model of that name. Raises ModelNotFound."""
        return self.config(name).model

    def config(self, name: str) -> LlamaCppConfig:
        """Return how the model of that name is run. Raises ModelNotFound."""
        config = self._configs.get(name)
        if config is None:
            raise ModelNotFound(model=name, param="model")
        return config

    def change(self, name: str, **parameters: object) -> LlamaCppConfig:
        """Run the model of that name with other parameters from the next request on. Raises ModelNotFound."""
        return self.add(replace(self.config(name), **parameters))
