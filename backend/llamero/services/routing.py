"""Where a name leads: the one place that knows the order in which names are looked for.

User aliases and fallbacks first, then the models that are known by themselves, then remote servers in their order. A
name that nobody has is an error; nothing is ever guessed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from llamero.infrastructure.model_names import can_name
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
from llamero.services.aliases import AliasBook, AliasTable
from llamero.services.catalog import ModelCatalog


class RemoteNames(Protocol):
    """What remote servers say that they have."""

    def known(self, api: ApiModel) -> Sequence[str]:
        """Those that the server has said already, without asking it."""
        ...

    async def names(self, api: ApiModel) -> Sequence[str]:
        """The names that the server knows its models by, as far as they are known soon. Never raises."""
        ...


class Discovery(Protocol):
    """Keeps the catalog true to the disk: `services.discovery.ModelDiscovery`."""

    @property
    def has_looked(self) -> bool: ...  # noqa: D102
    def begin(self, others: Iterable[str] | None = None) -> None: ...  # noqa: D102
    async def refresh(self, others: Iterable[str] | None = None) -> None: ...  # noqa: D102


class Router:
    """Resolves names of models. Without a discovery, the catalog is all there is.

    `engine_arguments` are the flags that every model is run with.
    """

    def __init__(
        self,
        catalog: ModelCatalog,
        aliases: AliasBook | None = None,
        remote_names: RemoteNames | None = None,
        discovery: Discovery | None = None,
        engine_arguments: Sequence[str] = (),
    ) -> None:
        self._catalog = catalog
        self._aliases = aliases or AliasBook()
        self._discovery = discovery
        self._remote_names = remote_names
        self._engine_arguments = engine_arguments

    async def resolve(self, name: str) -> Destination:
        """Return where `name` leads.

        Raises ModelNotFound, ModelFileNotFound for an alias of a hub file that is not here, and IoFailed when the
        aliases cannot be read.
        """
        table = await self._aliases.current()
        match table.named.get(name):
            case UserAlias() as alias:
                return await self._local(alias)
            case FallbackAlias() as alias:
                return FallbackDestination(alias=name, targets=alias.targets, cooldown_s=alias.cooldown_s)
        remote = _remote(table.apis, name)
        config = await self._known(name, wait=remote is None)
        if config is not None:
            return LocalDestination(alias=name, config=config)
        if remote is not None:
            return remote
        raise ModelNotFound(model=name, param="model")

    async def listed(self, *, wait: bool = True) -> Sequence[ListedModel]:
        """Every name that clients may ask for, once, in the order in which names are looked for.

        Without `wait`, what is known now: neither the disk nor remote servers are waited for.
        """
        table = await self._aliases.current()
        await self._look(table, wait=wait)
        listed: dict[str, ListedModel] = {}
        for alias in table.named.values():
            listed[alias.name] = self._listed_alias(alias)
        for model in self._catalog.models():
            listed.setdefault(model.alias, self._listed_model(model.alias))
        remote = await asyncio.gather(*(self._remote_names_of(api, ask=wait) for api in table.apis))
        for api, names in zip(table.apis, remote, strict=True):
            for name in names:
                listed.setdefault(name, _listed_remote(api, name))
        return tuple(listed.values())

    async def find(self, name: str) -> ListedModel:
        """Return what is listed under `name`. Raises ModelNotFound."""
        table = await self._aliases.current()
        await self._look(table)
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

    async def configurations(self) -> Mapping[str, LlamaCppConfig]:
        """How each model on this machine is run, by its name, as far as that is known now."""
        table = await self._aliases.current()
        configs = {model.alias: self._catalog.config(model.alias) for model in self._catalog.models()}
        for alias in table.named.values():
            configs.pop(alias.name, None)
            if isinstance(alias, UserAlias) and (base := self._base(alias)) is not None:
                configs[alias.name] = _config(alias, base)
        return configs

    def sees(self, config: LlamaCppConfig) -> bool:
        """Is the part of the model that sees loaded with it?"""
        return self._is_seeing(config.arguments)

    async def has_file(self, alias: UserAlias) -> bool:
        """Is the file of an alias there, as far as the disk has been looked at?"""
        if self._discovery is not None:
            await self._discovery.refresh([alias.file] if alias.file else None)
        base = self._base(alias)
        return base is not None and self._catalog.look(base.model.path) is not None

    async def _is_known(self, name: str) -> bool:
        try:
            await self.resolve(name)
        except (ModelNotFound, ModelFileNotFound):
            return False
        return True

    async def _known(self, name: str, *, wait: bool) -> LlamaCppConfig | None:
        """How a model is run that is known by itself. A name that is new is looked for on the disk.

        Where the name leads elsewhere, too, only the first look is waited for.
        """
        config = self._configured(name)
        if config is None and self._discovery is not None:
            if wait or not self._discovery.has_looked:
                await self._discovery.refresh()
            else:
                self._discovery.begin()
            config = self._configured(name)
        return config

    def _configured(self, name: str) -> LlamaCppConfig | None:
        try:
            return self._catalog.config(name)
        except ModelNotFound:
            return None

    async def _look(self, table: AliasTable, *, wait: bool = True) -> None:
        """Bring the catalog up to date, with how every file looks that has a name."""
        if self._discovery is not None:
            files = [alias.file for alias in table.named.values() if isinstance(alias, UserAlias) and alias.file]
            others = [*files, *(model.path for model in self._catalog.opened())]
            self._discovery.begin(others)
            if wait:
                await self._discovery.refresh(others)

    async def _local(self, alias: UserAlias) -> LocalDestination:
        if alias.hub and self._catalog.of_hub(alias.hub) is None and self._discovery is not None:
            await self._discovery.refresh()
        base = self._base(alias)
        if base is None:
            raise ModelFileNotFound(path=alias.hub, param="model")
        return LocalDestination(
            alias=alias.name,
            config=_config(alias, base),
            defaults=alias.defaults,
            system_prompt=alias.system_prompt,
        )

    def _base(self, alias: UserAlias) -> LlamaCppConfig | None:
        """The model that an alias stands for; None when the hub's cache does not have it."""
        if alias.file:
            return LlamaCppConfig(model=ModelId(alias.name, alias.file))
        return self._catalog.of_hub(alias.hub)

    def _listed_alias(self, alias: UserAlias | FallbackAlias) -> ListedModel:
        if isinstance(alias, FallbackAlias):
            return ListedModel(id=alias.name, kind=AliasKind.FALLBACK)
        base = self._base(alias)
        path, arguments = ("", ()) if base is None else (base.model.path, base.arguments)
        sees = self._is_seeing((*arguments, *alias.arguments))
        return self._listed_file(alias.name, AliasKind.USER, path, embedding=alias.embedding, sees=sees)

    def _listed_model(self, name: str) -> ListedModel:
        config = self._catalog.config(name)
        sees = self.sees(config)
        return self._listed_file(name, AliasKind.MODEL, config.model.path, embedding=config.embedding, sees=sees)

    def _listed_file(self, name: str, kind: AliasKind, path: str, *, embedding: bool, sees: bool) -> ListedModel:
        look = self._catalog.look(path)
        if look is None:
            return ListedModel(id=name, kind=kind, embedding=embedding, path=path, sees=sees)
        return ListedModel(
            id=name,
            kind=kind,
            created=look.modified,
            embedding=embedding or look.embedding,
            path=path,
            size_bytes=look.size_bytes,
            sees=sees,
        )

    def _is_seeing(self, arguments: Iterable[str]) -> bool:
        return _has_projector((*self._engine_arguments, *arguments))

    async def _remote_names_of(self, api: ApiModel, *, ask: bool) -> list[str]:
        """The names under which clients ask this server's models."""
        names = [f"{api.prefix}{name}" for name in api.models]
        if api.forward_all and self._remote_names is not None:
            told = await self._remote_names.names(api) if ask else self._remote_names.known(api)
            names += [name for one in told if can_name(name := f"{api.prefix}{one}")]  # a stranger's text
        return names


def _config(alias: UserAlias, base: LlamaCppConfig) -> LlamaCppConfig:
    """How the model of an alias is run; `base` is the model itself."""
    return LlamaCppConfig(
        model=ModelId(alias.name, base.model.path),
        context_length=alias.context_length,
        gpu_layers=alias.gpu_layers,
        threads=alias.threads,
        parallel=alias.parallel,
        embedding=alias.embedding,
        arguments=(*base.arguments, *alias.arguments),
        keep_alive_s=alias.keep_alive_s,
        rpc=alias.rpc,
    )


def upstream_name(api: ApiModel, name: str) -> str | None:
    """What the remote server calls the model that a client asked for; None where the name is not for this server."""
    if not name.startswith(api.prefix):
        return None
    upstream = name.removeprefix(api.prefix)
    return upstream if upstream and (api.forward_all or upstream in api.models) else None


def _remote(apis: Iterable[ApiModel], name: str) -> RemoteDestination | None:
    """The first remote server that has the name."""
    for api in apis:
        upstream = upstream_name(api, name)
        if upstream is not None:
            return RemoteDestination(alias=name, api=api, upstream=upstream)
    return None


def _has_projector(arguments: Iterable[str]) -> bool:
    """Do these flags load the part of a model that sees? A person may write a flag and its value in one."""
    return any(re.match(r"(--mmproj|-mm|--mmproj-url|-mmu)(?![\w-])", argument) for argument in arguments)


def _listed_remote(api: ApiModel, name: str) -> ListedModel:
    return ListedModel(id=name, kind=AliasKind.API, owned_by=api.name)
