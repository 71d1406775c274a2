"""Deleting messages, each with all that is below it, and taking that back; inside a transaction of the caller's.

Invariants: deleted messages are out of sight and as they were until they are purged. Below a deleted message there is
none that is not, and nothing is added. The head of a conversation is never deleted; a conversation of which nothing
would be left is put into the trash as a whole instead.
"""

from __future__ import annotations

import sqlite3

from msgspec.structs import replace

from llamero.infrastructure.storage import rows, tree
from llamero.models.bridge.chats import DeletedMessages
from llamero.models.conversations import Conversation, Message
from llamero.models.errors import NotFound

_UPWARDS = """
WITH RECURSIVE upwards (id, parent_id) AS (
    SELECT id, parent_id FROM messages WHERE id = ?
    UNION ALL
    SELECT messages.id, messages.parent_id FROM messages JOIN upwards ON messages.id = upwards.parent_id
)
"""


def delete_message(connection: sqlite3.Connection, message_id: str, now: float) -> DeletedMessages:
    """Put a message and all below it out of sight; what is shown then is another version of it, or what it followed.

    Raises NotFound.
    """
    message = rows.read_message(connection, message_id)
    conversation = rows.read_conversation(connection, message.conversation_id)
    rest = _beside(connection, message) or message.parent_id
    if rest is None:
        return DeletedMessages(
            conversation=tree.update_conversation(connection, replace(conversation, deleted_at=now)), message_ids=()
        )
    gone = tree.ids_below(connection, message.id)
    connection.executemany(
        "INSERT INTO deleted_messages (message_id, deletion, was_head, deleted_at) VALUES (?,?,?,?)",
        [(id, message.id, id == conversation.head, now) for id in gone],
    )
    if conversation.head in gone:
        shown = replace(conversation, head=tree.newest_below(connection, rest))
        conversation = tree.update_conversation(connection, shown)
    return DeletedMessages(conversation=conversation, message_ids=gone)


def restore_message(connection: sqlite3.Connection, message_id: str) -> Conversation:
    """Bring back what was deleted with a message, and what that hangs on, and show it as it was shown.

    Where something was said since, that stays on the screen. One that is not deleted stays as it is. Raises NotFound.
    """
    own = (rows.storable(message_id),)
    place = connection.execute("SELECT conversation_id FROM messages WHERE id = ?", own).fetchone()
    if place is None:
        raise NotFound(rows.MESSAGE_NOT_FOUND)
    conversation = rows.read_conversation(connection, place[0])
    deletion = connection.execute("SELECT deletion FROM deleted_messages WHERE message_id = ?", own).fetchone()
    if deletion is None:
        return conversation
    former = connection.execute(
        "SELECT message_id FROM deleted_messages WHERE deletion = ? AND was_head", deletion
    ).fetchone()
    goes_on = _spoken_since(connection, conversation, deletion[0])
    connection.execute(
        f"{_UPWARDS} DELETE FROM deleted_messages WHERE deletion IN "  # noqa: S608
        "(SELECT deletion FROM deleted_messages JOIN upwards ON upwards.id = message_id)",
        own,
    )
    if goes_on:
        return conversation
    head = former[0] if former else tree.newest_below(connection, message_id)
    return tree.update_conversation(connection, replace(conversation, head=head))


def is_due(connection: sqlite3.Connection, before: float) -> bool:
    """Is there something that was deleted before that time?"""
    return any(
        connection.execute(f"SELECT 1 FROM {table} WHERE deleted_at < ? LIMIT 1", (before,)).fetchone()  # noqa: S608
        for table in ("conversations", "deleted_messages")
    )


def purge(connection: sqlite3.Connection, before: float) -> int:
    """Forget what was deleted before that time; returns how many conversations that were."""
    connection.execute(
        "WITH RECURSIVE due (id) AS ("
        "SELECT message_id FROM deleted_messages WHERE deleted_at < ? "
        # What is below was deleted earlier, but a clock may have been set back in between.
        "UNION SELECT messages.id FROM messages JOIN due ON messages.parent_id = due.id"
        ") DELETE FROM messages WHERE id IN (SELECT id FROM due)",
        (before,),
    )
    return connection.execute("DELETE FROM conversations WHERE deleted_at < ?", (before,)).rowcount


def _spoken_since(connection: sqlite3.Connection, conversation: Conversation, deletion: str) -> bool:
    """Is there a message that is newer than this deletion?"""
    newer = connection.execute(
        "SELECT 1 FROM messages JOIN deleted_messages AS gone ON gone.message_id = ? "  # noqa: S608
        f"WHERE conversation_id = ? AND created_at > gone.deleted_at AND {rows.NOT_DELETED} LIMIT 1",
        (deletion, conversation.id),
    )
    return newer.fetchone() is not None


def _beside(connection: sqlite3.Connection, message: Message) -> str | None:
    """The version of a message before it, else the one after it."""
    versions = connection.execute(
        "SELECT id FROM messages WHERE conversation_id = ? AND parent_id IS ? "  # noqa: S608
        f"AND {rows.NOT_DELETED} ORDER BY seq",
        (message.conversation_id, message.parent_id),
    )
    ids = [row[0] for row in versions]
    at = ids.index(message.id)
    others = ids[:at][-1:] or ids[at + 1 :][:1]
    return others[0] if others else None
