"""Aliases and keys in memory."""

from __future__ import annotations

from collections.abc import Sequence

from llamero.infrastructure.storage.aliases import SavedAlias, StoredAliases
from llamero.models.aliases import Alias
from llamero.models.remote import KeyPlace


class MemoryStorage:
    """Aliases that nobody else changes."""

    def __init__(self, *aliases: Alias) -> None:
        self._aliases = {alias.name: alias for alias in aliases}
        self._version = 0

    def stamp(self) -> int | None:
        return self._version

    async def version(self) -> int:
        return self._version

    async def load(self) -> StoredAliases:
        return StoredAliases(self._version, tuple(self._aliases.values()))

    async def change(self, version: int, saved: Sequence[SavedAlias] = (), removed: Sequence[str] = ()) -> bool:
        if version != self._version:
            return False
        for name in removed:
            del self._aliases[name]
        for entry in saved:
            former = entry.former or entry.alias.name
            self._aliases = {
                (entry.alias.name if name == former else name): alias for name, alias in self._aliases.items()
            }
            self._aliases[entry.alias.name] = entry.alias
            if entry.place is not None:
                names = [name for name in self._aliases if name != entry.alias.name]
                names.insert(entry.place, entry.alias.name)
                self._aliases = {name: self._aliases[name] for name in names}
        self._version += 1
        return True


class MemoryKeys:
    """The keys of remote servers."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {}
        self.place = KeyPlace.KEYRING

    async def where(self) -> KeyPlace:
        return self.place

    async def get(self, name: str) -> str | None:
        return self.keys.get(name)

    async def set(self, name: str, key: str) -> None:
        self.keys[name] = key

    async def remove(self, name: str) -> None:
        self.keys.pop(name, None)
