"""Files that go with questions: kept once, read when somebody asks for them.

Invariants: an attachment never changes; it lives as long as a message names it, be it a deleted one, or what the page
remembers does, which keeps drafts; any other as long as what is in the trash. Bodies are read one call at a time and
never with a list of messages.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.storage import rows
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.ids import IdMaker
from llamero.models.conversations import Attachment, AttachmentKind
from llamero.models.errors import NotFound

_UNSENT = "NOT EXISTS (SELECT 1 FROM message_attachments WHERE attachment_id = attachments.id)"

# Ids are nowhere part of another text.
_FORGOTTEN = f"{_UNSENT} AND NOT EXISTS (SELECT 1 FROM ui_state WHERE instr(value, attachments.id))"  # noqa: S608


class AttachmentStore:
    """The attachments of one database. Every method raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdMaker(clock)

    async def add(self, name: str, kind: AttachmentKind, media_type: str, body: bytes) -> Attachment:
        """Keep a file that a question may name from now on."""
        added = Attachment(
            id=self._ids.new(), name=rows.storable(name), kind=kind, media_type=media_type, size=len(body)
        )
        now = self._clock.time()

        def write(connection: sqlite3.Connection) -> Attachment:
            connection.execute(
                "INSERT INTO attachments (id, name, kind, media_type, size, added_at, body) VALUES (?,?,?,?,?,?,?)",
                (added.id, added.name, kind.value, media_type, added.size, now, body),
            )
            return added

        return await self._database.write(write, durable=True)

    async def discard(self, attachment_id: str) -> None:
        """Forget a file that no question names; one that is named, or unknown, stays as it is."""

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"DELETE FROM attachments WHERE id = ? AND {_UNSENT}",  # noqa: S608
                (rows.storable(attachment_id),),
            )

        await self._database.write(write)

    async def described(self, ids: Iterable[str]) -> tuple[Attachment, ...]:
        """These attachments without their bodies. Raises NotFound."""
        return await self._database.read(lambda connection: read_attachments(connection, ids))

    async def read(self, attachment_id: str) -> tuple[Attachment, bytes]:
        """An attachment and its body. Raises NotFound, also when everything that has it is deleted."""

        def read(connection: sqlite3.Connection) -> tuple[Attachment, bytes]:
            attachment = rows.read_attachment(connection, attachment_id)
            trashed = connection.execute(
                f"SELECT min(deleted_at IS NOT NULL OR NOT {rows.NOT_DELETED}) FROM message_attachments "  # noqa: S608
                "JOIN messages ON messages.id = message_id "
                "JOIN conversations ON conversations.id = conversation_id WHERE attachment_id = ?",
                (attachment.id,),
            ).fetchone()[0]
            if trashed:
                raise NotFound(rows.ATTACHMENT_NOT_FOUND)
            return attachment, _bodies(connection, [attachment.id])[attachment.id]

        return await self._database.read(read)

    async def bodies(self, attachments: Iterable[Attachment]) -> Mapping[str, bytes]:
        """The bodies of attachments by their ids."""
        ids = [attachment.id for attachment in attachments]
        return await self._database.read(lambda connection: _bodies(connection, ids)) if ids else {}


def read_attachments(connection: sqlite3.Connection, ids: Iterable[str]) -> tuple[Attachment, ...]:
    """The attachments of these ids, in their order. Raises NotFound."""
    return tuple([rows.read_attachment(connection, id) for id in ids])


def is_any_unsent(connection: sqlite3.Connection, before: float) -> bool:
    """Is there a file that was added before that time and that neither a question nor a draft names?"""
    row = connection.execute(f"SELECT 1 FROM attachments WHERE added_at < ? AND {_FORGOTTEN} LIMIT 1", (before,))  # noqa: S608
    return row.fetchone() is not None


def forget_unsent(connection: sqlite3.Connection, before: float) -> None:
    """Forget the files that were added before that time and that neither a question nor a draft names."""
    connection.execute(f"DELETE FROM attachments WHERE added_at < ? AND {_FORGOTTEN}", (before,))  # noqa: S608


def _bodies(connection: sqlite3.Connection, ids: Iterable[str]) -> dict[str, bytes]:
    found = connection.execute(
        "SELECT id, body FROM attachments WHERE id IN (SELECT value FROM json_each(?))",
        (msgspec.json.encode(list(ids)).decode(),),
    )
    return dict(found.fetchall())
