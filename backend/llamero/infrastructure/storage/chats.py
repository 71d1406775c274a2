"""Conversations on the disk: trees of messages to which is added and in which nothing is overwritten.

Invariants: a message's parent is a message of the same conversation and was saved before it; the head is a message of
its conversation; a question and the place of its answer are one transaction, on the disk before it is acknowledged;
only an answer that is streaming is ever changed, and after a start none is (`recover`). A conversation in the trash
and a message that is deleted answer as if they were not there, until they are restored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.storage import attachments as files
from llamero.infrastructure.storage import deletions, rows, tree
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.ids import IdMaker
from llamero.infrastructure.storage.search import search
from llamero.models.bridge.chats import Asked, DeletedMessages, EditedAnswer, Trash
from llamero.models.conversations import (
    Conversation,
    ConversationWithMessages,
    Message,
    MessageStatus,
    Role,
    Sampling,
    SearchHit,
)
from llamero.models.errors import InvalidRequest

T = TypeVar("T")
TRASH_KEPT_S = 30 * 24 * 3600.0


class Recovered(msgspec.Struct, frozen=True):
    """What `recover` did: answers that the last run left unfinished, conversations that left the trash for good."""

    interrupted: int
    purged: int


class ChatStore:
    """The conversations of one database. Every method raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._ids = IdMaker(clock)
        self.attachments = files.AttachmentStore(database, clock)

    # Reading

    async def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation, the one that was last spoken in first."""
        return await self._database.read(rows.read_conversations)

    async def trash(self) -> Trash:
        """What can be restored: every deleted conversation, the one that was deleted last first."""
        return Trash(conversations=await self._database.read(rows.read_deleted), kept_s=TRASH_KEPT_S)

    async def conversation(self, conversation_id: str) -> ConversationWithMessages:
        """A conversation with every message of its tree. Raises NotFound."""

        def read(connection: sqlite3.Connection) -> ConversationWithMessages:
            conversation = rows.read_conversation(connection, conversation_id)
            return ConversationWithMessages(
                conversation=conversation, messages=rows.read_messages(connection, conversation_id)
            )

        return await self._database.read(read)

    async def message(self, message_id: str) -> Message:
        """A message, with what was saved of it so far. Raises NotFound."""
        return await self._database.read(lambda connection: rows.read_message(connection, message_id))

    async def branch(self, message_id: str) -> tuple[Message, ...]:
        """The messages from the root down to this one. Raises NotFound."""
        return await self._database.read(lambda connection: rows.read_branch(connection, message_id))

    async def search(self, query: str, limit: int) -> tuple[SearchHit, ...]:
        """Titles and messages that have these words; any text will do."""
        return await self._database.read(lambda connection: search(connection, query, limit))

    # Asking

    async def ask(
        self,
        text: str,
        model: str,
        *,
        title: str,
        conversation_id: str | None = None,
        parent_id: str | None = None,
        system_prompt: str | None = None,
        sampling: Sampling | None = None,
        attachments: Sequence[str] = (),
    ) -> Asked:
        """Save a question and make place for its answer, in a new conversation or under `parent_id` (else the head).

        `title` is for a new conversation; `attachments` are ids. Raises NotFound, and Conflict when the parent is
        being answered.
        """
        now, ids = self._clock.time(), [self._ids.new() for _ in range(3)]

        def write(connection: sqlite3.Connection) -> Asked:
            if conversation_id is None:
                new = Conversation(id=ids[0], title=title, created_at=now, updated_at=now)
                rows.insert_conversation(connection, new)
            conversation = rows.read_conversation(connection, conversation_id or ids[0])
            conversation = tree.with_fields(conversation, system_prompt=system_prompt, sampling=sampling)
            parent = parent_id or conversation.head
            if parent is not None:
                tree.require_complete(tree.message_in(connection, conversation.id, parent))
            attached = files.read_attachments(connection, attachments)
            question = tree.new_question(ids[1], conversation.id, parent, text, now, attached)
            return tree.save_asked(connection, conversation, question, tree.new_answer(ids[2], question, model, now))

        return await self._database.write(write, durable=True)

    async def edit(self, message_id: str, text: str, model: str, *, title: str) -> Asked:
        """Save other words in the place of a question: a sibling with the same attachments and place for an answer.

        `title` replaces an automatic one where the question is the first. Raises NotFound, and InvalidRequest when
        the message is not the user's.
        """
        now, ids = self._clock.time(), [self._ids.new() for _ in range(2)]

        def write(connection: sqlite3.Connection) -> Asked:
            former = rows.read_message(connection, message_id)
            if former.role is not Role.USER:
                raise InvalidRequest("chat_error-not_a_question", param="message_id")
            conversation = rows.read_conversation(connection, former.conversation_id)
            if former.parent_id is None and conversation.title_is_automatic:
                conversation = replace(conversation, title=title)
            question = tree.new_question(ids[0], conversation.id, former.parent_id, text, now, former.attachments)
            return tree.save_asked(connection, conversation, question, tree.new_answer(ids[1], question, model, now))

        return await self._database.write(write, durable=True)

    async def retry(self, message_id: str, model: str) -> Asked:
        """Make place for another answer beside the given one, or for one to a question.

        Raises NotFound, and Conflict while the given answer is still coming.
        """
        now, id = self._clock.time(), self._ids.new()

        def write(connection: sqlite3.Connection) -> Asked:
            former = rows.read_message(connection, message_id)
            tree.require_complete(former)
            conversation = rows.read_conversation(connection, former.conversation_id)
            question = tree.question_of(connection, former)
            asked = tree.save_asked(connection, conversation, None, tree.new_answer(id, question, model, now))
            return replace(asked, user_message=None)

        return await self._database.write(write, durable=True)

    # Answering

    async def append(self, message_id: str, content: str, reasoning: str) -> None:
        """Save more of an answer. Without effect once it has ended."""
        values = (rows.storable(content), rows.storable(reasoning), message_id)

        def write(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO answer_parts (content, reasoning, message_id) "
                "SELECT ?, ?, id FROM messages WHERE id = ? AND status = 'streaming'",
                values,
            )

        await self._database.write(write)

    async def finish(self, message: Message) -> Conversation:
        """Save an answer as it ended, whatever was appended before. Raises NotFound when its conversation is gone.

        An answer that has ended already stays as it is.
        """
        now = self._clock.time()

        def write(connection: sqlite3.Connection) -> Conversation:
            tree.end_answer(connection, message)
            connection.execute("UPDATE conversations SET updated_at = ? WHERE id = ?", (now, message.conversation_id))
            return rows.read_conversation(connection, message.conversation_id, deleted=True)

        return await self._database.write(write)

    async def recover(self) -> Recovered:
        """To be called once after opening: end what the last run left streaming, and let go of what is old.

        That are conversations in the trash, and files that were attached and never sent.
        """
        oldest = self._clock.time() - TRASH_KEPT_S

        def read(connection: sqlite3.Connection) -> bool:
            return bool(
                rows.read_streaming(connection)
                or deletions.is_due(connection, oldest)
                or files.is_any_unsent(connection, oldest)
            )

        def write(connection: sqlite3.Connection) -> Recovered:
            left = rows.read_streaming(connection)
            for message in left:
                tree.end_answer(connection, replace(message, status=MessageStatus.INTERRUPTED))
            purged = deletions.purge(connection, oldest)
            files.forget_unsent(connection, oldest)
            return Recovered(len(left), purged)

        # A start that has nothing to do should not wait for the disk.
        return await self._database.write(write, durable=True) if await self._database.read(read) else Recovered(0, 0)

    # Changing

    async def edit_answer(self, message_id: str, text: str) -> EditedAnswer:
        """Save other words beside an answer, as a version of it that a person made.

        Raises NotFound, InvalidRequest when the message is no answer, and Conflict while it is still coming.
        """
        now, id = self._clock.time(), self._ids.new()
        return await self._database.write(lambda c: tree.edited_answer(c, message_id, id, text, now), durable=True)

    async def fork(self, message_id: str) -> Conversation:
        """Begin a conversation with the messages from the root down to this one.

        Raises NotFound, and Conflict while the message is an answer that is still coming.
        """
        length = len(await self.branch(message_id))  # which never changes, so that the ids can be made here
        now, ids = self._clock.time(), [self._ids.new() for _ in range(length + 1)]
        return await self._database.write(lambda connection: tree.fork(connection, message_id, ids, now), durable=True)

    async def select_branch(self, conversation_id: str, message_id: str) -> Conversation:
        """Make the newest message below `message_id` the head. Raises NotFound."""

        def write(connection: sqlite3.Connection) -> Conversation:
            conversation = rows.read_conversation(connection, conversation_id)
            tree.message_in(connection, conversation_id, message_id)
            return tree.update_conversation(
                connection, replace(conversation, head=tree.newest_below(connection, message_id))
            )

        return await self._database.write(write)

    async def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give a title that a person chose. Raises NotFound."""
        return await self._change(conversation_id, lambda c: replace(c, title=title, title_is_automatic=False))

    async def change(
        self,
        conversation_id: str,
        *,
        model: str | None = None,
        system_prompt: str | None = None,
        sampling: Sampling | None = None,
    ) -> Conversation:
        """Change how a conversation is answered from now on; None leaves a field as it is. Raises NotFound."""
        fields = {"model": model, "system_prompt": system_prompt, "sampling": sampling}
        return await self._change(conversation_id, lambda c: tree.with_fields(c, **fields))

    async def delete(self, conversation_id: str) -> None:
        """Put a conversation into the trash, from which it goes after 30 days. Raises NotFound.

        One that is there already stays as it is.
        """
        now = self._clock.time()
        await self._change(
            conversation_id, lambda c: replace(c, deleted_at=now) if c.deleted_at is None else c, deleted=True
        )

    async def restore(self, conversation_id: str) -> Conversation:
        """Take a conversation out of the trash; one that is not there stays as it is. Raises NotFound."""
        return await self._change(conversation_id, lambda c: replace(c, deleted_at=None), deleted=True)

    async def ids_below(self, message_id: str) -> tuple[str, ...]:
        """The ids of a message and of every one below it. Raises NotFound."""
        return await self._database.read(
            lambda connection: tree.ids_below(connection, rows.read_message(connection, message_id).id)
        )

    async def delete_message(self, message_id: str) -> DeletedMessages:
        """Put a message and all below it out of sight, from where they go after 30 days. Raises NotFound.

        Where nothing would be left, the conversation goes into the trash instead.
        """
        now = self._clock.time()
        return await self._database.write(lambda c: deletions.delete_message(c, message_id, now), durable=True)

    async def restore_message(self, message_id: str) -> Conversation:
        """Bring back a message with all that went with it; one that is not deleted stays as it is. Raises NotFound."""
        return await self._database.write(lambda c: deletions.restore_message(c, message_id), durable=True)

    async def _change(
        self, conversation_id: str, change: Callable[[Conversation], Conversation], *, deleted: bool = False
    ) -> Conversation:
        def write(connection: sqlite3.Connection) -> Conversation:
            return tree.update_conversation(
                connection, change(rows.read_conversation(connection, conversation_id, deleted=deleted))
            )

        return await self._database.write(write, durable=True)
