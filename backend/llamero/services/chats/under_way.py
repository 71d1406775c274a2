"""The answers under way, and what is known of them beyond what is on the disk.

Invariants: an answer is under way until it has ended and that is saved, or could not be; one whose end could not be
saved is kept with all that it said until saving works again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from llamero.models.bridge.chats import Asked
from llamero.models.conversations import Message, MessageStatus
from llamero.services.chats.answers import ChatParts, RunningAnswer
from llamero.services.chats.protocols import Channel


class AnswersUnderWay:
    """Every answer that has begun and not ended. Belongs to one event loop."""

    def __init__(self, parts: ChatParts) -> None:
        self._parts = parts
        self._running: dict[str, RunningAnswer] = {}
        self._left: dict[str, RunningAnswer] = {}  # those whose end could not be saved
        self.ended = 0
        """How many have ended, so that whoever reads from the disk knows whether one did meanwhile."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the messages that are being answered now."""
        return tuple(self._running)

    def begin(self, asked: Asked, window: str, channel: Channel) -> asyncio.Task[None]:
        """Have a question answered, which `window` follows. The task is done when that has ended and all know."""
        answer = RunningAnswer(self._parts, asked.conversation, asked.assistant_message, self._on_end)
        self._running[asked.assistant_message.id] = answer
        answer.watch(window, channel)
        return answer.start()

    def newest(self, message: Message) -> Message:
        """What is known of a message here, which may be more than what is on the disk."""
        answer = self._running.get(message.id) or self._left.get(message.id)
        return message if answer is None else answer.message

    async def watch(self, window: str, channel: Channel, message_id: str) -> Message:
        """The text so far; the channel gives what follows, and ends at once where nothing does. Raises NotFound."""
        while (running := self._running.get(message_id)) is None:
            ended = self.ended
            message = self.newest(await self._parts.store.message(message_id))
            if ended == self.ended:
                channel.end()
                return message
        return running.watch(window, channel)

    def forget_window(self, window: str) -> None:
        """Send nothing more to the channels of a window; its answers go on."""
        for running in self._running.values():
            running.unwatch(window)

    async def stop(self, message_id: str) -> Message:
        """End an answer and keep what came of it. One that has ended comes as it is. Raises NotFound."""
        running = self._running.get(message_id)
        if running is not None:
            return await running.stop(MessageStatus.STOPPED)
        return self.newest(await self._parts.store.message(message_id))

    def of_conversation(self, conversation_id: str) -> list[RunningAnswer]:
        """Those of one conversation."""
        return [answer for answer in self._running.values() if answer.conversation_id == conversation_id]

    def among(self, message_ids: Iterable[str]) -> list[RunningAnswer]:
        """Those whose messages these are."""
        return [self._running[id] for id in message_ids if id in self._running]

    async def interrupt_all(self) -> None:
        """End every answer because the app closes."""
        await asyncio.gather(*(answer.stop(MessageStatus.INTERRUPTED) for answer in list(self._running.values())))

    async def save_left(self) -> None:
        """Save the ends that could not be saved before. Raises IoFailed when that still does not work."""
        for id, answer in list(self._left.items()):
            if answer.unsaved is not None:
                await self._parts.store.finish(answer.unsaved)
                self._parts.publisher.event("message", answer.unsaved)
            del self._left[id]

    def _on_end(self, answer: RunningAnswer) -> None:
        self.ended += 1
        del self._running[answer.message.id]
        if answer.unsaved is not None:
            self._left[answer.message.id] = answer
