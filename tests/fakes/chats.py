"""Conversations in a fresh database, a model that says what a test tells it to, and windows that write down all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.models.bridge.chats import Asked, ChatFrame, Progress, SendChatMessage
from llamero.models.chat import ChatDelta, Finished, ReasoningDelta, TextDelta
from llamero.models.conversations import Message, Sampling
from llamero.services.chats.protocols import ChatMessages
from llamero.services.chats.service import ChatService

DATABASE = "llamero.db"


@asynccontextmanager
async def open_store(directory: Path, clock: Clock | None = None) -> AsyncIterator[ChatStore]:
    database = await Database.open(directory / DATABASE)
    try:
        store = ChatStore(database, clock or SystemClock())
        await store.recover()
        yield store
    finally:
        await database.close()


def _set() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


@dataclass
class Asking:
    """One question to the model: what it was told, and what it is to say next."""

    model: str
    messages: ChatMessages
    sampling: Sampling
    on_progress: Callable[[Progress], None]
    script: asyncio.Queue[ChatDelta | BaseException] = field(default_factory=asyncio.Queue)
    closed: bool = False
    may_close: asyncio.Event = field(default_factory=_set)

    def say(self, *texts: str) -> None:
        for text in texts:
            self.script.put_nowait(TextDelta(text))

    def think(self, text: str) -> None:
        self.script.put_nowait(ReasoningDelta(text))

    def finish(self, finished: Finished | None = None) -> None:
        self.script.put_nowait(finished or Finished("stop"))

    def fail(self, error: BaseException) -> None:
        self.script.put_nowait(error)


class ScriptedModel:
    """A ChatSource; every question waits for a test to `take` it and say something."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Asking] = asyncio.Queue()

    async def ask(
        self, model: str, messages: ChatMessages, sampling: Sampling, on_progress: Callable[[Progress], None]
    ) -> AsyncGenerator[ChatDelta, None]:
        asking = Asking(model, messages, sampling, on_progress)
        self.asked.put_nowait(asking)
        try:
            while True:
                delta = await asking.script.get()
                if isinstance(delta, BaseException):
                    raise delta
                yield delta
        finally:
            await asking.may_close.wait()
            asking.closed = True

    async def take(self) -> Asking:
        """The next question, once it is asked."""
        async with asyncio.timeout(10):
            return await self.asked.get()


class RecordedChannel:
    """What one window was sent on one channel."""

    def __init__(self) -> None:
        self.frames: list[ChatFrame] = []
        self.ended = asyncio.Event()
        self._came = asyncio.Event()

    def send(self, frame: ChatFrame) -> None:
        assert not self.ended.is_set()
        self.frames.append(frame)
        self._came.set()

    def end(self) -> None:
        assert not self.ended.is_set()
        self.ended.set()

    @property
    def text(self) -> str:
        return "".join(frame.text for frame in self.frames)

    @property
    def reasoning(self) -> str:
        return "".join(frame.reasoning for frame in self.frames)

    @property
    def final(self) -> Message | None:
        return self.frames[-1].message if self.frames else None

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._came.clear()
                await self._came.wait()

    async def until_text(self, text: str) -> None:
        await self.until(lambda: self.text == text)

    async def until_end(self) -> Message:
        async with asyncio.timeout(10):
            await self.ended.wait()
        assert self.final is not None
        return self.final


class RecordingPublisher:
    def __init__(self) -> None:
        self.channels: dict[tuple[str, int], RecordedChannel] = {}
        self.events: list[tuple[str, object]] = []

    def channel(self, window: str, channel: int) -> RecordedChannel:
        return self.channels.setdefault((window, channel), RecordedChannel())

    def event(self, name: str, payload: object) -> None:
        self.events.append((name, payload))

    def named(self, name: str) -> list[object]:
        return [payload for event, payload in self.events if event == name]


@dataclass
class Chats:
    """A ChatService and everything around it."""

    store: ChatStore
    service: ChatService
    model: ScriptedModel
    windows: RecordingPublisher
    _channels: int = 0

    def on(self) -> str:
        """A channel that has not been used yet."""
        self._channels += 1
        return f"__CHANNEL__:{self._channels}"

    @property
    def last_channel(self) -> RecordedChannel:
        return self.windows.channel("w", self._channels)

    async def send(self, text: str = "Hello", **more: object) -> tuple[Asked, Asking, RecordedChannel]:
        """Ask from the window `w`, and take the question at the model."""
        command = SendChatMessage(**{"text": text, "model": "m", "on": self.on(), **more})  # type: ignore[arg-type]
        asked = await self.service.send("w", command)
        return asked, await self.model.take(), self.last_channel

    async def exchange(self, text: str, reply: str, **more: object) -> Asked:
        """A question and its whole answer."""
        asked, asking, channel = await self.send(text, **more)
        asking.say(reply)
        asking.finish()
        await channel.until_end()
        return asked


@asynccontextmanager
async def open_chats(directory: Path, clock: Clock | None = None) -> AsyncIterator[Chats]:
    before = asyncio.all_tasks()
    async with open_store(directory, clock) as store:
        model, windows = ScriptedModel(), RecordingPublisher()
        service = ChatService(store, model, windows, clock or SystemClock(), default_messages())
        try:
            yield Chats(store, service, model, windows)
        finally:
            await service.close()
    assert asyncio.all_tasks() <= before
