"""The single steps of a change to a tree of messages, each made inside a transaction of the caller's."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from msgspec.structs import replace

from llamero.infrastructure.storage import rows
from llamero.models.bridge.chats import Asked, EditedAnswer
from llamero.models.conversations import Attachment, Conversation, Message, MessageStatus, Role, Sampling
from llamero.models.errors import Conflict, InvalidRequest, NotFound


def new_question(
    id: str, conversation_id: str, parent_id: str | None, text: str, now: float, attachments: Sequence[Attachment]
) -> Message:
    """A message of the user's."""
    return Message(
        id=id,
        conversation_id=conversation_id,
        parent_id=parent_id,
        role=Role.USER,
        content=rows.storable(text),
        created_at=now,
        attachments=tuple(attachments),
    )


def new_answer(id: str, question: Message, model: str, now: float) -> Message:
    """An empty answer to a question, about to stream."""
    return Message(
        id=id,
        conversation_id=question.conversation_id,
        parent_id=question.id,
        role=Role.ASSISTANT,
        content="",
        status=MessageStatus.STREAMING,
        model=model,
        created_at=now,
    )


def save_asked(
    connection: sqlite3.Connection, conversation: Conversation, question: Message | None, answer: Message
) -> Asked:
    """Add both, and make the answer the head."""
    for message in (question, answer):
        if message is not None:
            rows.insert_message(connection, message)
    changed = replace(conversation, head=answer.id, model=answer.model, updated_at=answer.created_at)
    return Asked(conversation=update_conversation(connection, changed), assistant_message=answer, user_message=question)


def edited_answer(connection: sqlite3.Connection, message_id: str, id: str, text: str, now: float) -> EditedAnswer:
    """Add an answer with other words beside the given one, and make it the head.

    Raises NotFound, InvalidRequest when the message is no answer, and Conflict while it is still coming.
    """
    former = rows.read_message(connection, message_id)
    if former.role is not Role.ASSISTANT:
        raise InvalidRequest("chat_error-not_an_answer", param="message_id")
    require_complete(former)
    answer = Message(
        id=id,
        conversation_id=former.conversation_id,
        parent_id=former.parent_id,
        role=Role.ASSISTANT,
        content=rows.storable(text),
        reasoning=former.reasoning,
        model=former.model,
        created_at=now,
        edited=True,
    )
    rows.insert_message(connection, answer)
    conversation = rows.read_conversation(connection, former.conversation_id)
    changed = update_conversation(connection, replace(conversation, head=id, updated_at=now))
    return EditedAnswer(conversation=changed, message=answer)


def fork(connection: sqlite3.Connection, message_id: str, ids: Sequence[str], now: float) -> Conversation:
    """Copy the branch down to a message into a conversation of its own, which is answered as the former one is.

    `ids` are those of the conversation and of its messages. Raises NotFound and Conflict.
    """
    branch = rows.read_branch(connection, message_id)
    require_complete(branch[-1])
    source = rows.read_conversation(connection, branch[-1].conversation_id)
    id, *message_ids = ids
    copy = replace(source, id=id, created_at=now, updated_at=now, head=message_ids[-1], forked_from=source.id)
    rows.insert_conversation(connection, copy)
    for message, own, parent in zip(branch, message_ids, [None, *message_ids[:-1]], strict=True):
        rows.insert_message(connection, replace(message, id=own, conversation_id=id, parent_id=parent))
    return copy


def end_answer(connection: sqlite3.Connection, message: Message) -> None:
    """Save an answer as it ended, unless it had ended already."""
    connection.execute(
        "UPDATE messages SET content = ?, reasoning = ?, status = ?, error = ?, stats = ? "
        "WHERE id = ? AND status = 'streaming'",
        (
            rows.storable(message.content),
            rows.storable(message.reasoning),
            message.status.value,
            rows.as_json(message.error),
            rows.as_json(message.stats),
            message.id,
        ),
    )
    connection.execute("DELETE FROM answer_parts WHERE message_id = ?", (message.id,))


def update_conversation(connection: sqlite3.Connection, conversation: Conversation) -> Conversation:
    """Save every field that may change; returns the conversation as it was saved."""
    connection.execute(
        "UPDATE conversations SET title = ?, title_is_automatic = ?, updated_at = ?, head = ?, model = ?, "
        "system_prompt = ?, sampling = ?, deleted_at = ? WHERE id = ?",
        (
            rows.storable(conversation.title),
            conversation.title_is_automatic,
            conversation.updated_at,
            conversation.head,
            conversation.model,
            rows.storable(conversation.system_prompt),
            rows.as_json(conversation.sampling),
            conversation.deleted_at,
            conversation.id,
        ),
    )
    return rows.read_conversation(connection, conversation.id, deleted=True)


def with_fields(conversation: Conversation, **fields: str | Sampling | None) -> Conversation:
    """The conversation with those fields that are not None."""
    return replace(conversation, **{name: value for name, value in fields.items() if value is not None})


def message_in(connection: sqlite3.Connection, conversation_id: str, message_id: str) -> Message:
    """A message of this conversation. Raises NotFound."""
    message = rows.read_message(connection, message_id)
    if message.conversation_id != conversation_id:
        raise NotFound(rows.MESSAGE_NOT_FOUND)
    return message


def question_of(connection: sqlite3.Connection, message: Message) -> Message:
    """The question that an answer answers; a question is its own. Raises NotFound."""
    if message.role is Role.USER:
        return message
    return rows.read_message(connection, message.parent_id or "")


def require_complete(message: Message) -> None:
    """Raises Conflict while the answer is still coming."""
    if message.status is MessageStatus.STREAMING:
        raise Conflict()


def newest_below(connection: sqlite3.Connection, message_id: str) -> str:
    """The message that was saved last of this one and all below it; it is a leaf, since children come after parents."""
    return ids_below(connection, message_id)[-1]


def ids_below(connection: sqlite3.Connection, message_id: str) -> tuple[str, ...]:
    """This message and every one below it that is not deleted, in the order in which they were saved."""
    below = connection.execute(
        f"""
        WITH RECURSIVE below (id, seq) AS (
            SELECT id, seq FROM messages WHERE id = ?
            UNION ALL
            SELECT messages.id, messages.seq FROM messages JOIN below ON messages.parent_id = below.id
            WHERE {rows.NOT_DELETED}
        )
        SELECT id FROM below ORDER BY seq
        """,  # noqa: S608
        (message_id,),
    )
    return tuple([row[0] for row in below])
