"""Where a name leads: the one place that knows the order in which names are looked for.

User aliases and fallbacks first, then the models that are known by themselves, then remote servers in their order. A
name that nobody has is an error; nothing is ever guessed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from llamero.models.aliases import (
    AliasKind,
    ApiModel,
    Destination,
    FallbackAlias,
    FallbackDestination,
    ListedModel,
    LocalDestination,
    RemoteDestination,
    UserAlias,
)
from llamero.models.errors import ModelFileNotFound, ModelNotFound
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.aliases import AliasBook
from llamero.services.catalog import ModelCatalog


class RemoteNames(Protocol):
    """What remote servers say that they have."""

    async def names(self, api: ApiModel) -> Sequence[str]:
        """The names that the server knows its models by, as far as they are known soon. Never raises."""
        ...


class Router:
    """Resolves names of models."""

    def __init__(
        self, catalog: ModelCatalog, aliases: AliasBook | None = None, remote_names: RemoteNames | None = None
    ) -> None:
        self._catalog = catalog
        self._aliases = aliases or AliasBook()
        self._remote_names = remote_names

    async def resolve(self, name: str) -> Destination:
        """Return where `name` leads.

        Raises ModelNotFound, ModelFileNotFound for an alias of a hub file that is not here, and IoFailed when the
        aliases cannot be read.
        """
        table = await self._aliases.current()
        match table.named.get(name):
            case UserAlias() as alias:
                return self._local(alias)
            case FallbackAlias() as alias:
                return FallbackDestination(alias=name, targets=alias.targets, cooldown_s=alias.cooldown_s)
        try:
            return LocalDestination(alias=name, config=self._catalog.config(name))
        except ModelNotFound:
            for api in table.apis:
                upstream = upstream_name(api, name)
                if upstream is not None:
                    return RemoteDestination(alias=name, api=api, upstream=upstream)
            raise

    async def listed(self) -> Sequence[ListedModel]:
        """Every name that clients may ask for, once, in the order in which names are looked for."""
        table = await self._aliases.current()
        listed: dict[str, ListedModel] = {}
        for alias in table.named.values():
            listed[alias.name] = self._listed_alias(alias)
        for model in self._catalog.models():
            listed.setdefault(model.alias, self._listed_model(model.alias))
        for api in table.apis:
            for name in await self._remote(api):
                listed.setdefault(name, _listed_remote(api, name))
        return tuple(listed.values())

    async def find(self, name: str) -> ListedModel:
        """Return what is listed under `name`. Raises ModelNotFound."""
        table = await self._aliases.current()
        alias = table.named.get(name)
        if alias is not None:
            return self._listed_alias(alias)
        match await self.resolve(name):
            case RemoteDestination() as remote:
                return _listed_remote(remote.api, name)
            case _:
                return self._listed_model(name)

    async def unknown(self, names: Sequence[str]) -> tuple[str, ...]:
        """Those of the names that lead nowhere now, for a warning."""
        return tuple([name for name in names if not await self._is_known(name)])

    async def _is_known(self, name: str) -> bool:
        try:
            await self.resolve(name)
        except (ModelNotFound, ModelFileNotFound):
            return False
        return True

    def _local(self, alias: UserAlias) -> LocalDestination:
        return LocalDestination(
            alias=alias.name,
            config=LlamaCppConfig(
                model=ModelId(alias.name, self._path(alias)),
                context_length=alias.context_length,
                gpu_layers=alias.gpu_layers,
                threads=alias.threads,
                parallel=alias.parallel,
                embedding=alias.embedding,
                arguments=alias.arguments,
                keep_alive_s=alias.keep_alive_s,
                rpc=alias.rpc,
            ),
            defaults=alias.defaults,
            system_prompt=alias.system_prompt,
        )

    def _path(self, alias: UserAlias) -> str:
        """The file that an alias stands for. Raises ModelFileNotFound when the hub's cache does not have it."""
        if alias.file:
            return alias.file
        try:
            return self._catalog.config(alias.hub).model.path
        except ModelNotFound:
            raise ModelFileNotFound(path=alias.hub, param="model") from None

    def _listed_alias(self, alias: UserAlias | FallbackAlias) -> ListedModel:
        if isinstance(alias, FallbackAlias):
            return ListedModel(id=alias.name, kind=AliasKind.FALLBACK)
        try:
            path = self._path(alias)
        except ModelFileNotFound:
            path = ""
        return ListedModel(id=alias.name, kind=AliasKind.USER, embedding=alias.embedding, path=path)

    def _listed_model(self, name: str) -> ListedModel:
        config = self._catalog.config(name)
        return ListedModel(id=name, embedding=config.embedding, path=config.model.path)

    async def _remote(self, api: ApiModel) -> Iterator[str]:
        """The names under which clients ask this server's models."""
        names = list(api.models)
        if api.forward_all and self._remote_names is not None:
            names += await self._remote_names.names(api)
        return (f"{api.prefix}{name}" for name in names)


def upstream_name(api: ApiModel, name: str) -> str | None:
    """What the remote server calls the model that a client asked for; None where the name is not for this server."""
    if not name.startswith(api.prefix):
        return None
    upstream = name.removeprefix(api.prefix)
    return upstream if upstream and (api.forward_all or upstream in api.models) else None


def _listed_remote(api: ApiModel, name: str) -> ListedModel:
    return ListedModel(id=name, kind=AliasKind.API, owned_by=api.name)
