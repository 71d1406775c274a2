"""The gateway's keys on the disk.

A key is 256 random bits behind `llk_`. What is stored is its plain SHA-256 digest: a slow hash protects secrets that
can be guessed, and this one cannot be; and the digest is computed for every request.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.key_digest import digest
from llamero.infrastructure.logs import register_secret
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.ids import IdMaker
from llamero.models.access import ApiKey, KeyTerms, NewApiKey, Scope, StoredKey
from llamero.models.errors import Conflict, NotFound

PREFIX = "llk_"
SECRET_BYTES = 32
# How much of a key is kept and shown. The 39 characters that are not are 234 bits.
SHOWN = len(PREFIX) + 4
DAY_S = 86_400.0

_COLUMNS = (
    "id, name, start, scopes, created_at, expires_at, last_used_at, revoked_at, requests_per_minute, streams, digest"
)


class ApiKeyStore:
    """Keys by name. Every method but `stamp` raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdMaker(clock)

    def stamp(self) -> int | None:
        """A number that changes when `stored` may return something else; None where it cannot be told at once."""
        return self._database.changes.count()

    async def stored(self) -> Sequence[StoredKey]:
        """Every key that was ever made, in the order in which they were."""
        rows = await self._database.read(
            lambda connection: connection.execute(f"SELECT {_COLUMNS} FROM api_keys ORDER BY seq").fetchall()  # noqa: S608
        )
        return tuple([_stored(row) for row in rows])

    async def listed(self) -> tuple[ApiKey, ...]:
        """The keys that were not revoked, in the order in which they were made."""
        return tuple([stored.key for stored in await self.stored() if stored.key.revoked_at is None])

    async def create(self, terms: KeyTerms) -> NewApiKey:
        """Make a key; its secret is returned and kept nowhere. Raises Conflict where the name is taken."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        register_secret(secret)
        now = self._clock.time()
        key = ApiKey(
            id=self._ids.new(),
            name=terms.name,
            start=secret[:SHOWN],
            scopes=tuple([scope for scope in Scope if scope in terms.scopes]),
            created_at=now,
            expires_at=None if terms.days is None else now + terms.days * DAY_S,
            requests_per_minute=terms.requests_per_minute,
            streams=terms.streams,
        )
        row = (
            *(key.id, key.name, key.start, " ".join(key.scopes), key.created_at, key.expires_at),
            *(None, None, key.requests_per_minute, key.streams, digest(secret)),
        )

        def insert(connection: sqlite3.Connection) -> bool:
            if _named(connection, key.name) is not None:
                return False
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO api_keys ({_COLUMNS}) VALUES ({marks})", row)  # noqa: S608
            return True

        if not await self._database.write(insert, durable=True):
            raise Conflict("key_error-name_taken", name=key.name, param="name")
        return NewApiKey(secret=secret, key=key)

    async def revoke(self, name: str) -> ApiKey:
        """Let nobody in with this key any more. Raises NotFound where there is none of that name."""
        now = self._clock.time()

        def revoke(connection: sqlite3.Connection) -> StoredKey | None:
            found = _named(connection, name)
            if found is not None:
                connection.execute("UPDATE api_keys SET revoked_at = ? WHERE id = ?", (now, found.key.id))
            return _by_id(connection, found.key.id) if found is not None else None

        revoked = await self._database.write(revoke, durable=True)
        if revoked is None:
            raise NotFound("key_error-unknown", name=name, param="name")
        return revoked.key

    async def note_use(self, key_id: str, at: float) -> None:
        """Remember when a key was last used; without effect where a later use is known."""

        def note(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE api_keys SET last_used_at = max(?, coalesce(last_used_at, 0)) WHERE id = ?", (at, key_id)
            )

        await self._database.write(note)


def _named(connection: sqlite3.Connection, name: str) -> StoredKey | None:
    select = f"SELECT {_COLUMNS} FROM api_keys WHERE name = ? AND revoked_at IS NULL"  # noqa: S608
    row = connection.execute(select, (name,)).fetchone()
    return None if row is None else _stored(row)


def _by_id(connection: sqlite3.Connection, key_id: str) -> StoredKey:
    return _stored(connection.execute(f"SELECT {_COLUMNS} FROM api_keys WHERE id = ?", (key_id,)).fetchone())  # noqa: S608


def _stored(row: Sequence[object]) -> StoredKey:
    *columns, stored_digest = row
    fields = dict(zip(ApiKey.__struct_fields__, columns, strict=True))
    fields["scopes"] = str(fields["scopes"]).split()
    return msgspec.convert({"digest": stored_digest, "key": fields}, StoredKey)
