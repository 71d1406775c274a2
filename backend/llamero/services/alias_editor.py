"""Changes aliases for a person: the alias, the key of a remote server, and what the person should know about it.

Invariants: a key goes to the server that it was given for and to no other. It is forgotten with its server, and before
its server gets another address; a new server never finds the key of one that had its name before.
"""

from __future__ import annotations

from typing import Protocol

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.remote_url import origin_of
from llamero.models.aliases import Alias, ApiModel, FallbackAlias, UserAlias
from llamero.models.remote import KeyPlace
from llamero.services.aliases import AliasBook
from llamero.services.routing import Router


class RemoteKeyStore(Protocol):
    """The keys of remote servers: `infrastructure.remote_keys.RemoteKeys`, where each method is described."""

    async def where(self) -> KeyPlace: ...  # noqa: D102
    async def get(self, name: str) -> str | None: ...  # noqa: D102
    async def set(self, name: str, key: str) -> None: ...  # noqa: D102
    async def remove(self, name: str) -> None: ...  # noqa: D102


class Notice(msgspec.Struct, frozen=True):
    """Something to tell the person: the code of a sentence in `locale/`, and its arguments."""

    code: str
    arguments: dict[str, str | int | float] = {}


class AliasEditor:
    """Saves, renames and removes aliases."""

    def __init__(self, book: AliasBook, keys: RemoteKeyStore, router: Router) -> None:
        self._book = book
        self._keys = keys
        self._router = router

    async def listed(self) -> tuple[Alias, ...]:
        """Every alias, in its order. Raises IoFailed."""
        return (await self._book.current()).aliases

    async def save(
        self, alias: Alias, *, key: str | None = None, former: str | None = None, place: int | None = None
    ) -> tuple[Alias, tuple[Notice, ...]]:
        """Keep an alias, in the place of the one of that name, of the one that was called `former`, or in `place`.

        `key` is that of a remote server; None keeps the one it has. Raises what `AliasBook.save` and the keys raise.
        """
        await self._book.check(alias, former)
        before = (await self._book.current()).find(former or alias.name)
        notices: list[Notice] = []
        moved: str | None = None
        if isinstance(alias, ApiModel):
            notices += await self._guard_key(alias, before, key)
            if isinstance(before, ApiModel) and before.name != alias.name:
                moved = await self._keys.get(before.name)
        saved = await self._book.save(alias, former, place=place)
        if isinstance(saved, ApiModel):
            if (kept := key or moved) is not None:
                await self._keys.set(saved.name, kept)
                if await self._keys.where() is KeyPlace.FILE:
                    notices.append(Notice("alias-key_in_file"))
            if isinstance(before, ApiModel) and before.name != saved.name:
                await self._keys.remove(before.name)
        return saved, (*notices, *await self._doubts(saved))

    async def rename(self, former: str, name: str) -> tuple[Alias, tuple[Notice, ...]]:
        """Give an alias another name, and its key with it. Raises as `save` does, and NotFound."""
        alias = await self._book.get(former)
        return await self.save(replace(alias, name=name), former=former)

    async def remove(self, name: str) -> tuple[Notice, ...]:
        """Know an alias no longer, and its key neither. Raises NotFound, Conflict, or what the keys raise."""
        removed = await self._book.remove(name)
        if isinstance(removed, ApiModel):
            await self._keys.remove(name)
        using = [
            alias.name
            for alias in (await self._book.current()).aliases
            if isinstance(alias, FallbackAlias) and name in alias.targets
        ]
        return (Notice("alias-still_target", {"name": name, "fallbacks": ", ".join(using)}),) if using else ()

    async def _guard_key(self, alias: ApiModel, before: Alias | None, key: str | None) -> list[Notice]:
        """Forget a key that was given for another server. This comes before the server's new address is known."""
        if isinstance(before, ApiModel) and origin_of(before.base_url) == origin_of(alias.base_url):
            return []
        name = alias.name if before is None else before.name
        if await self._keys.get(name) is None:
            return []
        await self._keys.remove(name)
        return [Notice("alias-key_forgotten", {"name": name})] if before is not None and key is None else []

    async def _doubts(self, alias: Alias) -> list[Notice]:
        """What may be a slip of the pen, but may also become true later."""
        match alias:
            case FallbackAlias():
                unknown = await self._router.unknown(alias.targets)
                return [Notice("alias-targets_unknown", {"names": ", ".join(unknown)})] if unknown else []
            case UserAlias():
                return (
                    []
                    if await self._router.has_file(alias)
                    else [Notice("alias-file_missing", {"file": alias.file or alias.hub})]
                )
            case ApiModel():
                return []
