"""What conversations need from others: a model that answers, and a way to the windows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from llamero.models.bridge.chats import ChatFrame, Progress
from llamero.models.chat import ChatDelta
from llamero.models.conversations import Sampling

ChatMessages = list[dict[str, object]]


class ChatSource(Protocol):
    """Models by their alias."""

    def ask(
        self, model: str, messages: ChatMessages, sampling: Sampling, on_progress: Callable[[Progress], None]
    ) -> AsyncGenerator[ChatDelta, None]:
        """Yield the deltas of one answer; the last one is Finished. Closing the generator frees the engine.

        `messages` are those of the chat completions API. `on_progress` is told what happens before the first delta,
        and `recovering` each time that another server has to go on. Raises errors of the tree.
        """
        ...


class Channel(Protocol):
    """A stream of frames to one window. Neither method waits for the window, nor raises when it is gone."""

    def send(self, frame: ChatFrame) -> None:
        """Hand a frame in; frames of a busy window may be merged."""
        ...

    def end(self) -> None:
        """Say that nothing follows."""
        ...


class Publisher(Protocol):
    """The windows that are open. Nothing here waits for any of them."""

    def channel(self, window: str, channel: int) -> Channel:
        """The stream of that number that a window has opened."""
        ...

    def event(self, name: str, payload: object) -> None:
        """Tell every window."""
        ...
