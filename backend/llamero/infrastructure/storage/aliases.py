"""The aliases on the disk, and whether anybody has changed them.

A change is on the disk when it is acknowledged, and counted in the same transaction. Another process is noticed without
reading a table. An alias that this version cannot read counts as absent; it stays on the disk until it is replaced.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence

import msgspec

from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import Alias

logger = logging.getLogger(__name__)

_decoder: msgspec.json.Decoder[Alias] = msgspec.json.Decoder(Alias)


class StoredAliases(msgspec.Struct, frozen=True):
    """All aliases in their order, and the number of changes that led there."""

    version: int
    aliases: tuple[Alias, ...]


class SavedAlias(msgspec.Struct, frozen=True):
    """An alias to be kept. `former` is the name that it had, where that is another.

    `place` counts from 0 in the order of all; None: where it stands, and at the end where it is new.
    """

    alias: Alias
    former: str | None = None
    place: int | None = None


class AliasStore:
    """Aliases by name. Its methods belong to the event loop; those that wait raise IoFailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def stamp(self) -> int | None:
        """A number that changes with every commit to the database; None where it cannot be told at once.

        Takes microseconds: it is asked before every request.
        """
        return self._database.changes.count()

    async def version(self) -> int:
        """How often the aliases have been changed."""
        return await self._database.read(_version)

    async def load(self) -> StoredAliases:
        """Read all of them."""
        version, rows = await self._database.read(
            lambda connection: (
                _version(connection),
                connection.execute("SELECT name, alias FROM aliases ORDER BY seq").fetchall(),
            )
        )
        decoded = [_decode(name, data) for name, data in rows]
        return StoredAliases(version, tuple([alias for alias in decoded if alias is not None]))

    async def change(self, version: int, saved: Sequence[SavedAlias] = (), removed: Sequence[str] = ()) -> bool:
        """Keep and remove aliases, all of them or none; each keeps its place unless it gets one.

        False: somebody has changed them since that version, so nothing was done.
        """

        def work(connection: sqlite3.Connection) -> bool:
            if _version(connection) != version:
                return False
            for name in removed:
                connection.execute("DELETE FROM aliases WHERE name = ?", (name,))
            for entry in saved:
                _save(connection, entry)
            return True

        return await self._database.write(work, durable=True)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT version FROM alias_version").fetchone()[0])


def _save(connection: sqlite3.Connection, entry: SavedAlias) -> None:
    name, data = entry.alias.name, msgspec.json.encode(entry.alias)
    if entry.former is not None and entry.former != name:
        connection.execute("UPDATE aliases SET name = ? WHERE name = ?", (name, entry.former))
    connection.execute(
        "INSERT INTO aliases (name, alias) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET alias = excluded.alias",
        (name, data),
    )
    if entry.place is not None:
        _move(connection, name, entry.place)


def _move(connection: sqlite3.Connection, moved: str, place: int) -> None:
    names = [name for (name,) in connection.execute("SELECT name FROM aliases WHERE name != ? ORDER BY seq", (moved,))]
    names.insert(place, moved)
    # Below zero first: no two may have the same number in between.
    numbered = [(-number, name) for number, name in enumerate(names, start=1)]
    connection.executemany("UPDATE aliases SET seq = ? WHERE name = ?", numbered)
    connection.execute("UPDATE aliases SET seq = -seq")


def _decode(name: str, data: bytes | str) -> Alias | None:
    try:
        return _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        logger.warning("the alias %r is not what it should be, so it is left out: %s", name, error)
        return None
