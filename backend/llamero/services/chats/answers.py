"""One answer from its question to its end, whoever looks on.

Invariants: an answer belongs to no window: it goes on when all are gone. A watcher gets the text so far and then every
frame, without a gap and without a repetition, and none delays another. However an answer ends (complete, stopped,
failed, interrupted because the app closes), what came of it is kept and saved, and the last frame is the message as it
was saved; when it cannot be saved, that frame says so and the text is kept in memory.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from msgspec.structs import replace

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.messages import Messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.models.bridge.chats import ChatFrame, Progress, ProgressKind
from llamero.models.chat import Finished, ReasoningDelta, TextDelta
from llamero.models.conversations import (
    AnswerStats,
    Conversation,
    Message,
    MessageError,
    MessageStatus,
)
from llamero.models.errors import InternalError, LlameroError, UpstreamFailed
from llamero.services.chats.attachments import check_told
from llamero.services.chats.history import history
from llamero.services.chats.protocols import Channel, ChatSource, Publisher
from llamero.services.chats.saving import PartialSaver

RATE_EVERY_S = 0.25  # how often the speed is told

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ChatParts:
    """What every answer works with."""

    store: ChatStore
    source: ChatSource
    publisher: Publisher
    clock: Clock
    messages: Messages
    ended: Callable[[Conversation, Message, float], None] = lambda conversation, message, seconds: None


class RunningAnswer:
    """An answer under way; `start` it once. Belongs to one event loop.

    `on_end` is called once, when the end is saved and before anyone is told of it: the time to watch is over.
    """

    def __init__(
        self,
        parts: ChatParts,
        conversation: Conversation,
        message: Message,
        on_end: Callable[[RunningAnswer], None],
    ) -> None:
        self.conversation_id = conversation.id
        self.unsaved: Message | None = None  # how it ended, when that could not be saved
        self._on_end = on_end
        self._parts = parts
        self._conversation = conversation
        self._message = message
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._progress: Progress | None = None
        self._watchers: dict[str, Channel] = {}
        self._saver = PartialSaver(parts.store, parts.clock, message.id)
        self._ending = MessageStatus.INTERRUPTED  # what a cancelled answer is
        self._measured = _Measured(parts.clock)
        self._streaming: asyncio.Task[None] | None = None
        self._ended: asyncio.Task[None] | None = None

    @property
    def message(self) -> Message:
        """The message with all that has come so far; after the end as it ended."""
        if not self._content and not self._reasoning:
            return self._message
        self._content, self._reasoning = ["".join(self._content)], ["".join(self._reasoning)]
        return replace(self._message, content=self._content[0], reasoning=self._reasoning[0])

    def start(self) -> asyncio.Task[None]:
        """Begin. The task is done once the answer has ended, is saved and everyone has been told."""
        self._streaming = asyncio.create_task(self._stream(), name=f"answer-{self._message.id}")
        self._ended = asyncio.create_task(self._run(self._streaming), name=f"answer-end-{self._message.id}")
        return self._ended

    def watch(self, window: str, channel: Channel) -> Message:
        """Let a window follow from here; the place of an earlier channel of this window is taken."""
        self._watchers[window] = channel
        if self._progress is not None:
            channel.send(ChatFrame(progress=self._progress))
        return self.message

    def unwatch(self, window: str) -> None:
        """Tell a window nothing more."""
        self._watchers.pop(window, None)

    async def stop(self, status: MessageStatus) -> Message:
        """End the answer with what has come, unless it ends by itself just now; returns it as it ended."""
        if self._streaming is not None and self._ended is not None:
            if not self._streaming.done():
                self._ending = status
                self._streaming.cancel()
            await asyncio.shield(self._ended)
        return self.message

    async def _run(self, streaming: asyncio.Task[None]) -> None:
        try:
            await self._streamed(streaming)
            status, error = await self._outcome(streaming)
            self._settle(replace(self.message, status=status, error=error, stats=self._measured.stats()))
            conversation = await self._save()
        finally:
            self._on_end(self)
        final = ChatFrame(message=self._message)
        for channel in self._watchers.values():
            channel.send(final)
            channel.end()
        self._parts.publisher.event("message", self._message)
        if conversation is not None:
            self._parts.publisher.event("conversation", conversation)
            self._parts.ended(conversation, self._message, self._measured.lasted())

    async def _streamed(self, streaming: asyncio.Task[None]) -> None:
        """Save parts until nothing more comes."""
        saving = asyncio.create_task(self._saver.run())
        try:
            await asyncio.wait([streaming])
        finally:
            saving.cancel()
            await asyncio.gather(saving, return_exceptions=True)

    def _settle(self, message: Message) -> None:
        self._message, self._content, self._reasoning = message, [], []

    async def _outcome(self, streaming: asyncio.Task[None]) -> tuple[MessageStatus, MessageError | None]:
        if streaming.cancelled():
            return self._ending, None
        error = streaming.exception()
        if error is None:
            return MessageStatus.COMPLETE, None
        if not isinstance(error, LlameroError):
            logger.error("an answer failed", exc_info=error)
            error = InternalError()
        else:
            logger.warning("an answer failed: %s", error)
        return MessageStatus.FAILED, await self._explained(error)

    async def _save(self) -> Conversation | None:
        """Save the end; None where there is no conversation any more, or saving does not work."""
        try:
            conversation = await self._parts.store.finish(self._message)
        except LlameroError as error:
            logger.error("an answer could not be saved: %s", error)
            self.unsaved = self._message
            self._settle(replace(self._message, status=MessageStatus.FAILED, error=await self._explained(error)))
            return None
        return conversation if conversation.deleted_at is None else None

    async def _explained(self, error: LlameroError) -> MessageError:
        # The first sentence of a process loads the catalogue, which takes a tenth of a second.
        sentence = await asyncio.to_thread(self._parts.messages.error, error)
        return MessageError(code=error.code, message=sentence)

    async def _stream(self) -> None:
        parts, message = self._parts, self._message
        if message.parent_id is None or message.model is None:
            raise InternalError()
        branch = await parts.store.branch(message.parent_id)
        files = [file for said in branch for file in said.attachments]
        check_told(files)
        bodies = await parts.store.attachments.bodies(files)
        # In a thread, since pictures take a while to be spelled out.
        told = await asyncio.to_thread(history, self._conversation.system_prompt, branch, bodies)
        source = parts.source.ask(message.model, told, self._conversation.sampling, self._on_progress)
        async with aclosing(source) as deltas:
            async for delta in deltas:
                if isinstance(delta, TextDelta) and delta.text:
                    await self._add(text=delta.text)
                elif isinstance(delta, ReasoningDelta) and delta.text:
                    await self._add(reasoning=delta.text)
                elif isinstance(delta, Finished):
                    self._measured.finished = delta
                    return
        raise UpstreamFailed(reason="the answer broke off")

    async def _add(self, text: str = "", reasoning: str = "") -> None:
        self._progress = None
        if text:
            self._content.append(text)
        if reasoning:
            self._reasoning.append(reasoning)
        self._send(ChatFrame(text=text, reasoning=reasoning, tokens_per_second=self._measured.piece()))
        await self._saver.add(text, reasoning)

    def _on_progress(self, progress: Progress) -> None:
        self._progress = progress
        if progress.kind is ProgressKind.RECOVERING:
            self._measured.recoveries += 1
        self._send(ChatFrame(progress=progress))

    def _send(self, frame: ChatFrame) -> None:
        for channel in self._watchers.values():
            channel.send(frame)


class _Measured:
    """The numbers under an answer. What the engine does not tell, because it was stopped, we measured ourselves."""

    def __init__(self, clock: Clock) -> None:
        self.recoveries = 0
        self.finished: Finished | None = None
        self._clock = clock
        self._asked = clock.monotonic()
        self._first: float | None = None
        self._last = self._told = 0.0
        self._pieces = 0

    def piece(self) -> float | None:
        """Count a piece, which is a token in nearly every case; now and then returns the speed in tokens/s."""
        now = self._last = self._clock.monotonic()
        self._pieces += 1
        if self._first is None:
            self._first = self._told = now
        if now - self._told < RATE_EVERY_S:
            return None
        self._told = now
        return (self._pieces - 1) / (now - self._first)

    def lasted(self) -> float:
        """Seconds since the question."""
        return self._clock.monotonic() - self._asked

    def stats(self) -> AnswerStats:
        """All that is known of the answer now."""
        own = AnswerStats(recoveries=self.recoveries)
        if self._first is not None:
            own = replace(
                own,
                first_token_ms=(self._first - self._asked) * 1000,
                generation_ms=(self._last - self._first) * 1000,
                completion_tokens=self._pieces,
            )
        if self.finished is None:
            return own
        usage, timings = self.finished.usage, self.finished.timings
        own = replace(own, finish_reason=self.finished.reason)
        if timings is not None:
            own = replace(
                own,
                prompt_tokens=timings.prompt_n,
                completion_tokens=timings.predicted_n,
                prompt_ms=timings.prompt_ms,
                generation_ms=timings.predicted_ms,
            )
        if usage is not None:  # counts the cached part of the prompt, too
            own = replace(own, prompt_tokens=usage.prompt_tokens, completion_tokens=usage.completion_tokens)
        return own
