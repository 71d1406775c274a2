"""ChatService: what a person does with conversations, as the windows ask for it.

Invariants: what a person says is on the disk before any engine is asked, and stays there whatever happens then; an
answer under way ends only by itself, by `stop`, with its message, with its conversation or with the app. Every change
is told to every window, so that all show the same.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from msgspec.structs import replace

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.messages import Messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.models.bridge.chats import (
    Asked,
    ChangeConversation,
    ConversationRef,
    DeletedMessages,
    EditAnswer,
    EditedAnswer,
    EditMessage,
    MessagePlace,
    MessageRef,
    RenameConversation,
    RetryMessage,
    SearchMessages,
    SelectBranch,
    SendChatMessage,
    Trash,
    WatchMessage,
)
from llamero.models.conversations import (
    Attachment,
    Conversation,
    ConversationWithMessages,
    Message,
    MessageStatus,
    SearchHit,
)
from llamero.models.errors import InvalidRequest, LlameroError, Unavailable
from llamero.services.chats.answers import ChatParts
from llamero.services.chats.attachments import check_count, check_size
from llamero.services.chats.protocols import Channel, ChatSource, Publisher
from llamero.services.chats.titles import clean_title, title_of
from llamero.services.chats.under_way import AnswersUnderWay

T = TypeVar("T")


class ChatService:
    """Conversations and the answers under way. Belongs to one event loop; every method may raise IoFailed."""

    def __init__(
        self, store: ChatStore, source: ChatSource, publisher: Publisher, clock: Clock, messages: Messages
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._messages = messages
        self._answers = AnswersUnderWay(ChatParts(store, source, publisher, clock, messages, self._tell_end))
        self._told = 0  # how many changes the windows have been told of
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False
        # Asking, deleting and closing take turns: no answer begins in a conversation that has just been deleted.
        self._turn = asyncio.Lock()
        self.on_end: Callable[[Conversation, Message, float], None] = lambda conversation, message, seconds: None
        """Told of every answer that has ended and is saved, with the seconds since its question."""

    def _tell_end(self, conversation: Conversation, message: Message, seconds: float) -> None:
        self.on_end(conversation, message, seconds)

    # Reading

    @property
    def streaming(self) -> tuple[str, ...]:
        """The ids of the messages that are being answered now."""
        return self._answers.ids

    async def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation, the one that was last spoken in first."""
        return await self._store.conversations()

    async def trash(self) -> Trash:
        """Deleted conversations, which can be restored."""
        return await self._store.trash()

    async def get(self, command: ConversationRef) -> ConversationWithMessages:
        """A conversation with all its messages, answers under way as far as they have come. Raises NotFound."""
        while True:  # else what was read just before a change could be told after it
            before = (self._told, self._answers.ended)
            found = await self._store.conversation(command.conversation_id)
            if before == (self._told, self._answers.ended):
                break
        return replace(found, messages=tuple([self._answers.newest(message) for message in found.messages]))

    async def search(self, command: SearchMessages) -> tuple[SearchHit, ...]:
        """Find words in titles and messages; any text will do."""
        return await self._store.search(command.query, command.limit)

    # Asking

    async def send(self, window: str, command: SendChatMessage) -> Asked:
        """Save what a person says and have it answered.

        Raises InvalidRequest when it says nothing, PayloadTooLarge when its files are too much together, NotFound, and
        Conflict when it would go under an answer that is still coming.
        """
        ids = tuple(dict.fromkeys(command.attachments))
        attached = await self._attached(ids)
        title = await self._title(command.text, attached)

        async def save() -> Asked:
            return await self._store.ask(
                command.text,
                command.model,
                title=title,
                conversation_id=command.conversation_id,
                parent_id=command.parent_id,
                system_prompt=command.system_prompt,
                sampling=command.sampling,
                attachments=ids,
            )

        return await self._to_the_end(self._ask(window, command.on, save))

    async def edit(self, window: str, command: EditMessage) -> Asked:
        """Say something else in the place of an earlier message. Raises InvalidRequest and NotFound.

        What was attached to it stays.
        """
        kept = (await self._store.message(command.message_id)).attachments
        title = await self._title(command.text, kept)

        async def save() -> Asked:
            return await self._store.edit(command.message_id, command.text, command.model, title=title)

        return await self._to_the_end(self._ask(window, command.on, save))

    async def retry(self, window: str, command: RetryMessage) -> Asked:
        """Have the same question answered once more. Raises InvalidRequest, NotFound and Conflict."""

        async def save() -> Asked:
            return await self._store.retry(command.message_id, command.model)

        return await self._to_the_end(self._ask(window, command.on, save))

    # Answers under way

    async def watch(self, window: str, command: WatchMessage) -> Message:
        """The text so far; the channel gives what follows. One that has ended comes whole, and the channel ends."""
        return await self._answers.watch(window, self._channel(window, command.on), command.message_id)

    def forget_window(self, window: str) -> None:
        """Send nothing more to the channels of a window whose page is gone; its answers go on."""
        self._answers.forget_window(window)

    async def stop(self, message_id: str) -> Message:
        """End an answer and keep what came of it. One that has ended comes as it is. Raises NotFound."""
        return await self._answers.stop(message_id)

    async def close(self) -> None:
        """Interrupt every answer, save what came of each, and take no more questions."""
        self._closing = True
        async with self._turn:
            await self._answers.interrupt_all()
            with suppress(LlameroError):
                await self._answers.save_left()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Changing

    async def select_branch(self, command: SelectBranch) -> Conversation:
        """Show the branch that a message is on. Raises NotFound."""
        return self._tell(await self._store.select_branch(command.conversation_id, command.message_id))

    async def edit_answer(self, command: EditAnswer) -> EditedAnswer:
        """Put other words beside an answer, as a version of it. Raises InvalidRequest, NotFound and Conflict."""
        if not command.text.strip():
            raise InvalidRequest("chat_error-empty_message", param="text")
        async with self._turn:
            await self._answers.save_left()
            edited = await self._store.edit_answer(command.message_id, command.text)
        self._event("message", edited.message)
        self._tell(edited.conversation)
        return edited

    async def fork(self, command: MessageRef) -> Conversation:
        """Begin a conversation with the messages down to this one. Raises NotFound and Conflict."""
        async with self._turn:
            await self._answers.save_left()
            fork = await self._store.fork(command.message_id)
        return self._tell(fork)

    async def rename(self, command: RenameConversation) -> Conversation:
        """Give a title, which then stays. Raises InvalidRequest when nothing of it can be seen, and NotFound."""
        title = clean_title(command.title)
        if not title:
            raise InvalidRequest("chat_error-empty_title", param="title")
        return self._tell(await self._store.rename(command.conversation_id, title))

    async def change(self, command: ChangeConversation) -> Conversation:
        """Change how a conversation is answered from the next question on. Raises NotFound."""
        changed = await self._store.change(
            command.conversation_id,
            model=command.model,
            system_prompt=command.system_prompt,
            sampling=command.sampling,
        )
        return self._tell(changed)

    async def delete(self, command: ConversationRef) -> None:
        """Put a conversation into the trash and stop its answers. Raises NotFound."""
        await self._to_the_end(self._delete(command))

    async def restore(self, command: ConversationRef) -> Conversation:
        """Take a conversation out of the trash. Raises NotFound."""
        return self._tell(await self._store.restore(command.conversation_id))

    async def delete_message(self, command: MessageRef) -> DeletedMessages:
        """Put a message and all below it out of sight, and stop the answers among them first. Raises NotFound.

        The last message of a conversation takes it along into the trash.
        """
        return await self._to_the_end(self._delete_message(command.message_id))

    async def restore_message(self, command: MessageRef) -> Conversation:
        """Bring back a message with all that went with it. Raises NotFound."""
        restored = self._tell(await self._store.restore_message(command.message_id))
        place = MessagePlace(conversation_id=restored.id, message_id=command.message_id)
        self._event("message_restored", place)
        return restored

    async def _ask(self, window: str, on: str, save: Callable[[], Awaitable[Asked]]) -> Asked:
        async with self._turn:
            if self._closing:
                raise Unavailable("server_error-shutting_down")
            await self._answers.save_left()  # otherwise what cannot be saved would count as still coming
            asked = await save()
            self._begin(window, on, asked)
        return asked

    def _begin(self, window: str, on: str, asked: Asked) -> None:
        self._tell(asked.conversation)
        for message in (asked.user_message, asked.assistant_message):
            if message is not None:
                self._event("message", message)
        self._keep(self._answers.begin(asked, window, self._channel(window, on)))

    async def _delete(self, command: ConversationRef) -> None:
        async with self._turn:
            await self._store.delete(command.conversation_id)
            concerned = self._answers.of_conversation(command.conversation_id)
        self._event("conversation_deleted", command)
        await asyncio.gather(*(answer.stop(MessageStatus.STOPPED) for answer in concerned))

    async def _delete_message(self, message_id: str) -> DeletedMessages:
        deleted = None
        while deleted is None:
            # Their ends are told before they go, or these would bring them back to the windows. An answer may take its
            # time to end, and others need not wait for that.
            concerned = self._answers.among(await self._store.ids_below(message_id))
            await asyncio.gather(*(answer.stop(MessageStatus.STOPPED) for answer in concerned))
            async with self._turn:
                await self._answers.save_left()
                if not self._answers.among(await self._store.ids_below(message_id)):
                    deleted = await self._store.delete_message(message_id)
        conversation = deleted.conversation
        if conversation.deleted_at is not None:
            self._event("conversation_deleted", ConversationRef(conversation_id=conversation.id))
        else:
            self._tell(conversation)
            place = MessagePlace(conversation_id=conversation.id, message_id=message_id)
            self._event("message_deleted", place)
        return deleted

    async def _to_the_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something whole, also when the window that asked for it is gone in the middle."""
        task = asyncio.create_task(work)
        self._keep(task)
        return await asyncio.shield(task)

    def _keep(self, task: asyncio.Task[Any]) -> None:
        """The event loop itself would let a task that nobody waits for disappear."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _channel(self, window: str, on: str) -> Channel:
        """A window's channel, which comes as `__CHANNEL__:<number>`."""
        return self._publisher.channel(window, int(on.rpartition(":")[2]))

    def _event(self, name: str, payload: object) -> None:
        self._told += 1
        self._publisher.event(name, payload)

    def _tell(self, conversation: Conversation) -> Conversation:
        self._event("conversation", conversation)
        return conversation

    async def _attached(self, ids: Sequence[str]) -> Sequence[Attachment]:
        """The files that a question brings. Raises NotFound, PayloadTooLarge."""
        if not ids:
            return ()
        check_count(len(ids))
        attached = await self._store.attachments.described(ids)
        check_size(attached)
        return attached

    async def _title(self, text: str, attached: Sequence[Attachment] = ()) -> str:
        """What a conversation that begins so is called: after what is said, else after the first file."""
        if not text.strip() and not attached:
            raise InvalidRequest("chat_error-empty_message", param="text")
        named = title_of(text) or next((title_of(attachment.name) for attachment in attached), "")
        return named or await asyncio.to_thread(self._messages.text, "chat-untitled")
