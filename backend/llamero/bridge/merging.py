"""What waits for one window while its socket is busy or away: merged, so that it stays small and nothing is lost.

Text and reasoning of a channel are joined. Text ends what was said about waiting for it, so a progress from before the
text is dropped, and one from after it follows the text. A low-rate event replaces an earlier one of the same name and
key and takes its place at the end: what is sent is always what was published, with superseded events left out.
"""

from __future__ import annotations

from io import StringIO

import msgspec

from llamero.models.bridge.chats import ChatFrame, Progress
from llamero.models.conversations import Message

_encode = msgspec.json.Encoder().encode
# What an item costs beside its texts.
ITEM_SIZE = 200


class PendingChannel:
    """Frames of one channel that have not been sent."""

    __slots__ = ("_frames", "_message", "_progress", "_rate", "_reasoning", "_text", "ended", "number", "size")

    def __init__(self, number: int) -> None:
        self.number = number
        self._frames = 0
        self._text = StringIO()  # a list of pieces would cost many times their characters
        self._reasoning = StringIO()
        self._progress: Progress | None = None
        self._rate: float | None = None
        self._message: Message | None = None
        self.ended = False
        self.size = ITEM_SIZE

    def add(self, frame: ChatFrame) -> None:
        """Merge a frame."""
        grown = len(frame.text) + len(frame.reasoning)
        self._text.write(frame.text)
        self._reasoning.write(frame.reasoning)
        if frame.progress is not None or grown:
            self._progress = None if grown else frame.progress
        if frame.tokens_per_second is not None:
            self._rate = frame.tokens_per_second
        if frame.message is not None:
            grown += len(frame.message.content) + len(frame.message.reasoning)
            self._message = frame.message
        self._frames += 1
        self.size += grown

    def bodies(self) -> list[bytes]:
        """What is to be sent, as frames without their numbers."""
        bodies = [b'"ch":%d,"d":%b' % (self.number, _encode(frame)) for frame in self._merged()]
        if self.ended:
            bodies.append(b'"ch":%d,"end":true' % self.number)
        return bodies

    def _merged(self) -> list[ChatFrame]:
        if not self._frames:
            return []
        text, reasoning = self._text.getvalue(), self._reasoning.getvalue()
        if not (text or reasoning) or self._progress is None:
            return [
                ChatFrame(
                    text=text,
                    reasoning=reasoning,
                    progress=self._progress,
                    tokens_per_second=self._rate,
                    message=self._message,
                )
            ]
        return [
            ChatFrame(text=text, reasoning=reasoning, tokens_per_second=self._rate),
            ChatFrame(progress=self._progress, message=self._message),
        ]


class PendingEvent:
    """The newest event of its name and key, as a frame without its number."""

    __slots__ = ("body", "size")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.size = ITEM_SIZE + len(body)


class Pending:
    """Everything that waits for one window, in the order in which it is to be sent. `size` is about its bytes."""

    def __init__(self) -> None:
        self._items: dict[int | tuple[str, str], PendingChannel | PendingEvent] = {}
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._items)

    def add_frame(self, channel: int, frame: ChatFrame) -> None:
        """Merge a frame of a channel."""
        item = self._channel(channel)
        before = item.size
        item.add(frame)
        self.size += item.size - before

    def add_end(self, channel: int) -> None:
        """The channel ends behind what waits on it."""
        self._channel(channel).ended = True

    def add_event(self, name: str, key: str, body: bytes) -> None:
        """Put an event at the end; `body` is the frame without its number."""
        former = self._items.pop((name, key), None)
        event = self._items[name, key] = PendingEvent(body)
        self.size += event.size - (former.size if former is not None else 0)

    def take(self) -> list[bytes]:
        """Remove what comes first and return it as frames without their numbers; empty when nothing waits."""
        if not self._items:
            return []
        place = next(iter(self._items))
        item = self._items.pop(place)
        self.size -= item.size
        if isinstance(item, PendingEvent):
            return [item.body]
        return item.bodies()

    def clear(self) -> None:
        """Drop everything."""
        self._items.clear()
        self.size = 0

    def _channel(self, channel: int) -> PendingChannel:
        item = self._items.get(channel)
        if isinstance(item, PendingChannel):
            return item
        fresh = self._items[channel] = PendingChannel(channel)
        self.size += fresh.size
        return fresh
