"""Conversations and messages as rows and as Structs.

Text is stored as UTF-8, which has no place for half a surrogate pair; those become U+FFFD instead of an error.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from llamero.models.conversations import (
    AnswerStats,
    Attachment,
    AttachmentKind,
    Conversation,
    Message,
    MessageError,
    MessageStatus,
    Role,
    Sampling,
)
from llamero.models.errors import NotFound

T = TypeVar("T")
CONVERSATION_NOT_FOUND = "chat_error-conversation_not_found"
MESSAGE_NOT_FOUND = "chat_error-message_not_found"
ATTACHMENT_NOT_FOUND = "chat_error-attachment_not_found"
NOT_DELETED = "(messages.id NOT IN (SELECT message_id FROM deleted_messages))"

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONVERSATION = (
    "id, title, title_is_automatic, created_at, updated_at, head, model, system_prompt, sampling, deleted_at, "
    "forked_from"
)
_ATTACHMENT = "attachments.id, name, kind, media_type, size"
_MESSAGE = "id, conversation_id, parent_id, role, content, reasoning, status, model, created_at, error, stats, edited"


def storable(text: str) -> str:
    """The text with U+FFFD in the place of each half of a surrogate pair."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def as_json(value: msgspec.Struct | None) -> str | None:
    """The JSON of a Struct; NULL for None."""
    return None if value is None else msgspec.json.encode(value).decode()


def _decoded(data: str | None, kind: type[T]) -> T | None:
    """The Struct of a JSON; None where its bounds have changed since it was written: no reason to lose a text."""
    try:
        return None if data is None else msgspec.json.decode(data, type=kind)
    except msgspec.DecodeError:
        return None


def conversation_of(row: tuple[Any, ...]) -> Conversation:
    """The Struct of a row of `conversations`."""
    return Conversation(
        id=row[0],
        title=row[1],
        title_is_automatic=bool(row[2]),
        created_at=row[3],
        updated_at=row[4],
        head=row[5],
        model=row[6],
        system_prompt=row[7],
        sampling=_decoded(row[8], Sampling) or Sampling(),
        deleted_at=row[9],
        forked_from=row[10],
    )


def message_of(row: tuple[Any, ...]) -> Message:
    """The Struct of a row of `messages`."""
    return Message(
        id=row[0],
        conversation_id=row[1],
        parent_id=row[2],
        role=Role(row[3]),
        content=row[4],
        reasoning=row[5],
        status=MessageStatus(row[6]),
        model=row[7],
        created_at=row[8],
        error=_decoded(row[9], MessageError),
        stats=_decoded(row[10], AnswerStats),
        edited=bool(row[11]),
    )


def attachment_of(row: tuple[Any, ...]) -> Attachment:
    """The Struct of a row of `attachments`."""
    return Attachment(id=row[0], name=row[1], kind=AttachmentKind(row[2]), media_type=row[3], size=row[4])


def insert_conversation(connection: sqlite3.Connection, conversation: Conversation) -> None:
    """Add a conversation."""
    values = (
        conversation.id,
        storable(conversation.title),
        conversation.title_is_automatic,
        conversation.created_at,
        conversation.updated_at,
        conversation.head,
        conversation.model,
        storable(conversation.system_prompt),
        as_json(conversation.sampling),
        conversation.deleted_at,
        conversation.forked_from,
    )
    connection.execute(f"INSERT INTO conversations ({_CONVERSATION}) VALUES (?,?,?,?,?,?,?,?,?,?,?)", values)  # noqa: S608


def insert_message(connection: sqlite3.Connection, message: Message) -> None:
    """Add a message, with its attachments, which must be there."""
    values = (
        message.id,
        message.conversation_id,
        message.parent_id,
        message.role.value,
        storable(message.content),
        storable(message.reasoning),
        message.status.value,
        message.model,
        message.created_at,
        as_json(message.error),
        as_json(message.stats),
        message.edited,
    )
    connection.execute(f"INSERT INTO messages ({_MESSAGE}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", values)  # noqa: S608
    connection.executemany(
        "INSERT INTO message_attachments (message_id, position, attachment_id) VALUES (?,?,?)",
        [(message.id, position, attachment.id) for position, attachment in enumerate(message.attachments)],
    )


def read_conversation(connection: sqlite3.Connection, id: str, *, deleted: bool = False) -> Conversation:
    """One conversation; one in the trash only when `deleted`. Raises NotFound."""
    row = connection.execute(f"SELECT {_CONVERSATION} FROM conversations WHERE id = ?", (storable(id),)).fetchone()  # noqa: S608
    if row is None or (row[9] is not None and not deleted):
        raise NotFound(CONVERSATION_NOT_FOUND)
    return conversation_of(row)


def read_conversations(connection: sqlite3.Connection) -> tuple[Conversation, ...]:
    """Every conversation that is not in the trash, the one that was last spoken in first."""
    rows = connection.execute(
        f"SELECT {_CONVERSATION} FROM conversations WHERE deleted_at IS NULL ORDER BY updated_at DESC, seq DESC"  # noqa: S608
    )
    return tuple([conversation_of(row) for row in rows])


def read_deleted(connection: sqlite3.Connection) -> tuple[Conversation, ...]:
    """Every conversation that is in the trash, the one that was deleted last first."""
    rows = connection.execute(
        f"SELECT {_CONVERSATION} FROM conversations WHERE deleted_at IS NOT NULL ORDER BY deleted_at DESC, seq DESC"  # noqa: S608
    )
    return tuple([conversation_of(row) for row in rows])


def read_message(connection: sqlite3.Connection, id: str) -> Message:
    """One message with what has come of it so far. Raises NotFound, also when it or its conversation is deleted."""
    row = connection.execute(
        f"SELECT {_MESSAGE} FROM messages WHERE id = ? AND {NOT_DELETED}",  # noqa: S608
        (storable(id),),
    ).fetchone()
    if row is None:
        raise NotFound(MESSAGE_NOT_FOUND)
    read_conversation(connection, row[1])
    return whole(connection, [message_of(row)])[0]


def read_messages(connection: sqlite3.Connection, conversation_id: str) -> tuple[Message, ...]:
    """Every message of a conversation that is not deleted, in the order in which they were saved."""
    rows = connection.execute(
        f"SELECT {_MESSAGE} FROM messages WHERE conversation_id = ? AND {NOT_DELETED} ORDER BY seq",  # noqa: S608
        (conversation_id,),
    )
    return tuple(whole(connection, [message_of(row) for row in rows]))


def read_branch(connection: sqlite3.Connection, message_id: str) -> tuple[Message, ...]:
    """The messages from the root down to this one. Raises NotFound."""
    last = read_message(connection, message_id)
    rows = connection.execute(
        f"""
        WITH RECURSIVE branch (id, parent_id) AS (
            SELECT id, parent_id FROM messages WHERE id = ?
            UNION ALL
            SELECT messages.id, messages.parent_id FROM messages JOIN branch ON messages.id = branch.parent_id
        )
        SELECT {_MESSAGE} FROM messages WHERE id IN (SELECT id FROM branch) ORDER BY seq
        """,  # noqa: S608
        (last.id,),
    )
    return tuple(whole(connection, [message_of(row) for row in rows]))


def read_attachment(connection: sqlite3.Connection, id: str) -> Attachment:
    """One attachment, whoever has it. Raises NotFound."""
    row = connection.execute(f"SELECT {_ATTACHMENT} FROM attachments WHERE id = ?", (storable(id),)).fetchone()  # noqa: S608
    if row is None:
        raise NotFound(ATTACHMENT_NOT_FOUND)
    return attachment_of(row)


def whole(connection: sqlite3.Connection, messages: Iterable[Message]) -> list[Message]:
    """The messages with what is kept beside them: attachments, and of those that are streaming the parts so far."""
    known = [_with_parts(connection, m) if m.status is MessageStatus.STREAMING else m for m in messages]
    attached = _attachments(connection, [message.id for message in known if message.role is Role.USER])
    return [replace(m, attachments=tuple(attached[m.id])) if m.id in attached else m for m in known]


def read_streaming(connection: sqlite3.Connection) -> list[Message]:
    """Every message that is streaming, or was when the app died."""
    rows = connection.execute(f"SELECT {_MESSAGE} FROM messages WHERE status = 'streaming'")  # noqa: S608
    return whole(connection, [message_of(row) for row in rows])


def _attachments(connection: sqlite3.Connection, message_ids: Sequence[str]) -> dict[str, list[Attachment]]:
    """The attachments of these messages, in their order; messages without any are left out."""
    found: dict[str, list[Attachment]] = {}
    rows = connection.execute(
        f"SELECT {_ATTACHMENT}, message_id FROM message_attachments "  # noqa: S608
        "JOIN attachments ON attachments.id = attachment_id "
        "WHERE message_id IN (SELECT value FROM json_each(?)) ORDER BY message_id, position",
        (msgspec.json.encode(message_ids).decode(),),
    )
    for *attachment, message_id in rows:
        found.setdefault(message_id, []).append(attachment_of(tuple(attachment)))
    return found


def _with_parts(connection: sqlite3.Connection, message: Message) -> Message:
    parts = connection.execute(
        "SELECT content, reasoning FROM answer_parts WHERE message_id = ? ORDER BY seq", (message.id,)
    ).fetchall()
    return replace(
        message,
        content=message.content + "".join(part[0] for part in parts),
        reasoning=message.reasoning + "".join(part[1] for part in parts),
    )
