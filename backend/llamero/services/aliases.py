"""The aliases that users made: held in memory, kept on the disk, true at every request.

Invariants: what is held is what is on the disk, also when another process has changed it: `current` looks, and costs
microseconds where nothing happened. A change is checked against the newest state and made as a whole or not at all.
Whoever watches is told after every change, whoever made it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.storage.aliases import SavedAlias, StoredAliases
from llamero.models.aliases import Alias, ApiModel, FallbackAlias, UserAlias
from llamero.models.errors import Conflict, InvalidRequest, IoFailed, NotFound
from llamero.services.alias_rules import checked

ATTEMPTS = 5

logger = logging.getLogger(__name__)


class AliasStorage(Protocol):
    """Where aliases are kept: `infrastructure.storage.aliases.AliasStore`, where each method is described."""

    def stamp(self) -> int | None: ...  # noqa: D102
    async def version(self) -> int: ...  # noqa: D102
    async def load(self) -> StoredAliases: ...  # noqa: D102
    async def change(  # noqa: D102
        self, version: int, saved: Sequence[SavedAlias] = (), removed: Sequence[str] = ()
    ) -> bool: ...


class AliasTable(msgspec.Struct, frozen=True):
    """All aliases at one moment, in their order. `named` are those that clients can ask for by that very name."""

    version: int = -1
    aliases: tuple[Alias, ...] = ()
    named: dict[str, UserAlias | FallbackAlias] = {}
    apis: tuple[ApiModel, ...] = ()

    @classmethod
    def of(cls, stored: StoredAliases) -> AliasTable:
        """The table of what is on the disk."""
        return cls(
            stored.version,
            stored.aliases,
            {alias.name: alias for alias in stored.aliases if not isinstance(alias, ApiModel)},
            tuple([alias for alias in stored.aliases if isinstance(alias, ApiModel)]),
        )

    def find(self, name: str) -> Alias | None:
        """The alias of that name, of whatever kind."""
        return next((alias for alias in self.aliases if alias.name == name), None)


class AliasBook:
    """Holds the aliases. Without a storage there are none, and none can be made."""

    def __init__(self, storage: AliasStorage | None = None) -> None:
        self._storage = storage
        self._table = AliasTable()
        self._stamp: int | None = None
        self._reading = asyncio.Lock()
        self._watchers: list[Callable[[AliasTable], None]] = []

    def watch(self, told: Callable[[AliasTable], None]) -> None:
        """Tell `told` every change from now on; it must be quick."""
        self._watchers.append(told)

    async def current(self) -> AliasTable:
        """The aliases as they are now. Raises IoFailed when they have never been read and cannot be."""
        storage = self._storage
        if storage is None or ((stamp := storage.stamp()) is not None and stamp == self._stamp):
            return self._table
        async with self._reading:
            try:
                await self._read(storage)
            except IoFailed as error:
                if self._table.version < 0:
                    raise
                logger.warning("the aliases cannot be read, so the last known ones are used: %s", error)
        return self._table

    async def get(self, name: str) -> Alias:
        """Return the alias of that name, of whatever kind. Raises NotFound."""
        return _existing(await self.current(), name)

    async def save(self, alias: Alias, former: str | None = None, *, place: int | None = None) -> Alias:
        """Keep an alias, in the place of the one of that name and kind, or of the one that was called `former`.

        One that is to stand elsewhere gets a `place` of its own, which counts from 0.
        Where it gets another name, the fallbacks that name it follow. Raises InvalidRequest and InvalidArgument as
        `checked` does, NotFound when nothing is called `former`, Conflict or IoFailed.
        """

        return (await self._change(lambda table: (_saving(table, alias, former, place), [])))[0][0].alias

    async def check(self, alias: Alias, former: str | None = None) -> None:
        """Raise what `save` would raise now, and change nothing."""
        _saving(await self.current(), alias, former)

    async def rename(self, former: str, name: str) -> Alias:
        """Give an alias another name. Raises as `save` does."""
        return await self.save(replace(await self.get(former), name=name), former)

    async def remove(self, name: str) -> Alias:
        """Know an alias no longer, and return it. Raises NotFound, Conflict or IoFailed."""
        removed: list[Alias] = []

        def change(table: AliasTable) -> tuple[list[SavedAlias], list[str]]:
            removed[:] = [_existing(table, name)]
            return [], [name]

        await self._change(change)
        return removed[0]

    async def _change(
        self, decide: Callable[[AliasTable], tuple[list[SavedAlias], list[str]]]
    ) -> tuple[list[SavedAlias], list[str]]:
        """Decide on the newest table and write that; again where another process was quicker."""
        storage = self._storage
        if storage is None:
            raise IoFailed("alias_error-no_storage")
        for _ in range(ATTEMPTS):
            table = await self.current()
            saved, removed = decide(table)
            if await storage.change(table.version, saved, removed):
                await self.current()
                return saved, removed
        raise Conflict("alias_error-changed_meanwhile")

    async def _read(self, storage: AliasStorage) -> None:
        stamp = storage.stamp()  # first: what is committed while we read is then noticed the next time
        if stamp is not None and stamp == self._stamp:
            return  # who waited before us has read it
        if await storage.version() != self._table.version:
            first = self._table.version < 0
            self._table = AliasTable.of(await storage.load())
            for told in () if first else self._watchers:
                told(self._table)
        self._stamp = stamp


def _existing(table: AliasTable, name: str) -> Alias:
    alias = table.find(name)
    if alias is None:
        raise NotFound("alias_error-not_found", param="name", name=name)
    return alias


def _saving(table: AliasTable, alias: Alias, former: str | None, place: int | None = None) -> list[SavedAlias]:
    """What is to be written so that the alias is kept."""
    before = _existing(table, former) if former is not None else table.find(alias.name)
    if before is not None and type(before) is not type(alias):
        raise InvalidRequest("alias_error-name_taken", param="name", name=before.name)
    kept = checked(alias, [other for other in table.aliases if other is not before])
    saved = [SavedAlias(kept, None if before is None else before.name, place)]
    if before is not None and before.name != kept.name:
        saved += _renamed_targets(table, before.name, kept.name)
    return saved


def _renamed_targets(table: AliasTable, former: str, name: str) -> list[SavedAlias]:
    """The fallbacks that name an alias, with its new name."""
    following = [a for a in table.aliases if isinstance(a, FallbackAlias) and former in a.targets]
    return [
        SavedAlias(replace(a, targets=tuple([name if target == former else target for target in a.targets])))
        for a in following
    ]
