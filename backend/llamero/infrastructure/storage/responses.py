"""Responses on the disk, with the items that went in and came out.

Invariants: a response is inserted once and changed only while it is unfinished; one that was deleted never comes back,
also when it is still being written; its items go with it. Text with half a surrogate pair cannot get here: requests
with one are no JSON.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.storage.database import Database
from llamero.models.responses import Item, OutputItem, Response, ResponseStatus

_item_of = msgspec.json.Decoder(Item).decode
_output_of = msgspec.json.Decoder(OutputItem).decode
_response_of = msgspec.json.Decoder(Response).decode
_encode = msgspec.json.encode

# From the beginning of a conversation to a response of it; `depth` counts from that one back.
_CONVERSATION = """
WITH RECURSIVE chain (id, previous_id, status, depth) AS (
    SELECT id, previous_id, status, 0 FROM responses WHERE id = ?
    UNION SELECT r.id, r.previous_id, r.status, chain.depth + 1
        FROM responses r JOIN chain ON r.id = chain.previous_id
)
SELECT previous_id, status, item FROM chain LEFT JOIN response_items ON response_id = id
ORDER BY depth DESC, response_items.seq
"""
_INSERT = """
INSERT INTO responses (conversation, id, previous_id, status, size, response) VALUES (?, ?, ?, ?, ?, ?)
"""
_DUE = """
SELECT EXISTS (SELECT 1 FROM response_conversations WHERE last_at < ?)
    OR (SELECT TOTAL(size) FROM response_conversations) > ?
"""
_TOO_OLD = "DELETE FROM response_conversations WHERE last_at < ?"
_TOO_MUCH = """
DELETE FROM response_conversations WHERE seq IN (
    SELECT seq FROM (
        SELECT seq, SUM(size) OVER (ORDER BY last_at DESC, seq DESC) AS total FROM response_conversations
    ) WHERE total > ?
)
"""


class History(msgspec.Struct, frozen=True):
    """The items of a conversation in their order, and how its last response stands.

    `missing` is the id of a response that is not there any more.
    """

    items: tuple[Item, ...] = ()
    status: ResponseStatus = ResponseStatus.COMPLETED
    missing: str | None = None


class ResponseStore:
    """The responses of one database. Every method raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, response: Response, items: Sequence[Item]) -> None:
        """Keep a response that begins, with what was put in."""
        data, encoded = _bare(response), [(str(item["id"]), _encode(item)) for item in items]
        size = len(data) + sum(len(item) for _, item in encoded)
        row = (response.id, response.previous_response_id, response.status.value, size, data)

        def write(connection: sqlite3.Connection) -> None:
            conversation = _conversation_for(connection, response)
            connection.execute(_INSERT, (conversation, *row))
            _insert_items(connection, response.id, False, encoded)
            _count(connection, conversation, size)

        await self._database.write(write)

    async def update(self, response: Response, events: bytes | None = None) -> None:
        """Keep how a response stands now, or has ended; without effect when it has ended before or was deleted."""
        data, encoded = _bare(response), [(item.id, _encode(item)) for item in response.output]
        more = sum(len(item) for _, item in encoded) + len(events or b"")

        def write(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                "UPDATE responses SET status = ?, response = ?, events = ?, size = size + ? "
                "WHERE id = ? AND status IN ('queued', 'in_progress') RETURNING conversation",
                (response.status.value, data, events, more, response.id),
            ).fetchone()
            if changed is not None:
                _insert_items(connection, response.id, True, encoded)
                _count(connection, changed[0], more)

        await self._database.write(write)

    async def find(self, id: str) -> Response | None:
        """A response with its output; None when there is none of that id."""

        def read(connection: sqlite3.Connection) -> Response | None:
            row = connection.execute("SELECT response FROM responses WHERE id = ?", (id,)).fetchone()
            if row is None:
                return None
            output = [_output_of(data) for data in _items(connection, id, output=True)]
            return replace(_response_of(row[0]), output=tuple(output))

        return await self._database.read(read)

    async def input_items(self, id: str) -> tuple[Item, ...] | None:
        """What was put in, in its order; None when there is no such response."""

        def read(connection: sqlite3.Connection) -> tuple[Item, ...] | None:
            if connection.execute("SELECT 1 FROM responses WHERE id = ?", (id,)).fetchone() is None:
                return None
            return tuple([_item_of(data) for data in _items(connection, id, output=False)])

        return await self._database.read(read)

    async def history(self, id: str) -> History:
        """The conversation that ends with this response."""

        def read(connection: sqlite3.Connection) -> History:
            rows = connection.execute(_CONVERSATION, (id,)).fetchall()
            missing = rows[0][0] if rows else id
            if missing is not None:
                return History(missing=missing)
            items = tuple([_item_of(data) for _, _, data in rows if data is not None])
            return History(items, ResponseStatus(rows[-1][1]))

        return await self._database.read(read)

    async def item(self, item_id: str) -> Item | None:
        """The item of this id that a model has written; None when there is none.

        Items that clients sent are not found: they may have ids that another client can guess.
        """
        find = "SELECT item FROM response_items WHERE item_id = ? AND is_output"
        row = await self._database.read(lambda connection: connection.execute(find, (item_id,)).fetchone())
        return None if row is None else _item_of(row[0])

    async def events(self, id: str) -> bytes | None:
        """What was kept of the stream of a response."""
        find = "SELECT events FROM responses WHERE id = ?"
        row = await self._database.read(lambda connection: connection.execute(find, (id,)).fetchone())
        return None if row is None else row[0]

    async def delete(self, id: str) -> bool:
        """Forget a response for good; False when there is none of that id."""

        def write(connection: sqlite3.Connection) -> bool:
            delete = "DELETE FROM responses WHERE id = ? RETURNING conversation, size"
            deleted = connection.execute(delete, (id,)).fetchone()
            if deleted is not None:
                _count(connection, deleted[0], -deleted[1])
            return deleted is not None

        return await self._database.write(write, durable=True)

    async def unfinished(self) -> tuple[Response, ...]:
        """Every response that has not ended, without its output."""
        find = "SELECT response FROM responses WHERE status IN ('queued', 'in_progress')"
        rows = await self._database.read(lambda connection: connection.execute(find).fetchall())
        return tuple([_response_of(data) for (data,) in rows])

    async def prune(self, oldest: float, max_bytes: int) -> int:
        """Forget conversations without a response since `oldest`, then the least recent ones beyond `max_bytes`.

        Returns how many. What is due is looked for beside the thread that writes.
        """
        if not (await self._database.read(lambda c: c.execute(_DUE, (oldest, max_bytes)).fetchone()))[0]:
            return 0

        def write(connection: sqlite3.Connection) -> int:
            old = connection.execute(_TOO_OLD, (oldest,)).rowcount
            return old + connection.execute(_TOO_MUCH, (max_bytes,)).rowcount

        return await self._database.write(write)


def _bare(response: Response) -> bytes:
    return _encode(replace(response, output=()))


def _conversation_for(connection: sqlite3.Connection, response: Response) -> int:
    """The conversation that a new response goes on, or begins; it is as young as its newest response."""
    find = "SELECT conversation FROM responses WHERE id = ?"
    found = connection.execute(find, (response.previous_response_id,)).fetchone()
    if found is None:
        begin = "INSERT INTO response_conversations (last_at, size) VALUES (?, 0) RETURNING seq"
        found = connection.execute(begin, (response.created_at,)).fetchone()
    else:
        go_on = "UPDATE response_conversations SET last_at = MAX(last_at, ?) WHERE seq = ?"
        connection.execute(go_on, (response.created_at, found[0]))
    return int(found[0])


def _count(connection: sqlite3.Connection, conversation: int, size: int) -> None:
    connection.execute("UPDATE response_conversations SET size = size + ? WHERE seq = ?", (size, conversation))


def _items(connection: sqlite3.Connection, id: str, *, output: bool) -> Iterable[bytes]:
    find = "SELECT item FROM response_items WHERE response_id = ? AND is_output = ? ORDER BY seq"
    return [data for (data,) in connection.execute(find, (id, output))]


def _insert_items(connection: sqlite3.Connection, id: str, is_output: bool, items: Iterable[tuple[str, bytes]]) -> None:
    insert = "INSERT INTO response_items (response_id, is_output, item_id, item) VALUES (?,?,?,?)"
    connection.executemany(insert, [(id, is_output, item_id, data) for item_id, data in items])
