"""One window as the hub knows it: what was sent and may be asked for again, and what waits to be sent.

Frames get their number when they are sent, so that what waits can still be merged. Invariants: within an epoch the
numbers have no gap; a frame is kept for replay before it is handed to a socket; what is kept and what waits are bounded
by bytes, and a window beyond its bound begins a new epoch: its next connection gets a snapshot, and every channel that
was open before is void.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque

import msgspec

from llamero.bridge.merging import Pending
from llamero.models.bridge.chats import ChatFrame

MEBIBYTE = 1024 * 1024


class HubLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of every window. Sizes in bytes (text that waits: in characters), times in seconds.

    `frame_interval_s` is how long what follows a burst of frames is collected: no page can paint more often.
    `remember_s` is how long a window that went away may come back to what it has missed.
    """

    max_windows: int = 32
    max_channels: int = 256
    max_pending: int = 4 * MEBIBYTE
    max_replay: int = MEBIBYTE
    max_replay_frames: int = 4096
    frame_interval_s: float = 0.016
    remember_s: float = 60.0
    hello_timeout_s: float = 10.0
    heartbeat_s: float = 20.0


class Link:
    """One connection of a window. `ended` gets the close code when the connection is to be closed by us."""

    def __init__(self) -> None:
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def end(self, code: int) -> None:
        """Ask for the connection to be closed. Only the first call counts."""
        if not self.ended.done():
            self.ended.set_result(code)


class Window:
    """One window, connected or not."""

    def __init__(self, key: str, limits: HubLimits) -> None:
        self.key = key
        self.epoch = secrets.token_hex(8)
        self.link: Link | None = None
        self.channels: dict[int, WindowChannel] = {}
        self.news = asyncio.Event()
        self._limits = limits
        self._pending = Pending()
        self._replay: deque[tuple[int, bytes]] = deque()
        self._replay_size = 0
        self._seq = 0
        self._greeted = False
        self._lost = False

    @property
    def held(self) -> int:
        """About how many bytes are held for this window."""
        return self._pending.size + self._replay_size

    def open_channel(self, number: int) -> WindowChannel:
        """Open a channel. One of the same number is void from then on, and the oldest where there are too many."""
        self.channels.pop(number, None)
        if len(self.channels) >= self._limits.max_channels:
            del self.channels[next(iter(self.channels))]
        channel = self.channels[number] = WindowChannel(self, number)
        return channel

    def add_frame(self, channel: int, frame: ChatFrame) -> None:
        """Merge a frame into what waits."""
        if not self._lost:
            self._pending.add_frame(channel, frame)
            self._grown()

    def add_end(self, channel: int) -> None:
        """A channel ends behind what waits on it."""
        if not self._lost:
            self._pending.add_end(channel)
            self._grown()

    def add_event(self, name: str, key: str, body: bytes) -> None:
        """Put an event behind what waits."""
        if not self._lost:
            self._pending.add_event(name, key, body)
            self._grown()

    def take(self) -> list[bytes]:
        """Number the first of what waits and return it for sending; empty when nothing does."""
        bodies = self._pending.take()
        if not bodies:
            self.news.clear()
        return [self.number(body) for body in bodies]

    def number(self, body: bytes) -> bytes:
        """Make a frame of its body, and keep it for replay."""
        self._seq += 1
        frame = b'{"seq":%d,%b}' % (self._seq, body)
        self._replay.append((self._seq, frame))
        self._replay_size += len(frame)
        limits = self._limits
        while self._replay_size > limits.max_replay or len(self._replay) > limits.max_replay_frames:
            self._replay_size -= len(self._replay.popleft()[1])
        return frame

    def resume(self, epoch: str, seq: int) -> list[bytes] | None:
        """Return the frames that follow `seq`; None where they are not known any more."""
        if self._lost or epoch != self.epoch or seq > self._seq:
            return None
        following = [frame for number, frame in self._replay if number > seq]
        return following if len(following) == self._seq - seq else None

    def restart(self) -> bool:
        """Begin an epoch with a snapshot to come. False for the first: what was opened before it stays open then."""
        again = self._greeted or self._lost
        if again:
            self._forget()
        self._greeted = True
        self._lost = False
        return again

    def _grown(self) -> None:
        self.news.set()
        if self._pending.size <= self._limits.max_pending:
            return
        self._forget()
        self._lost = True
        if self.link is not None:
            self.link.end(TOO_SLOW)

    def _forget(self) -> None:
        self.epoch = secrets.token_hex(8)
        self.channels.clear()
        self._pending.clear()
        self._replay.clear()
        self._replay_size = 0
        self._seq = 0


class WindowChannel:
    """A stream of frames to one window. Sending into a channel that is void is harmless and does nothing."""

    def __init__(self, window: Window | None, number: int) -> None:
        self._window = window
        self._number = number

    @property
    def void(self) -> bool:
        """Whether nobody gets what is sent here."""
        return self._window is None or self._window.channels.get(self._number) is not self

    def send(self, frame: ChatFrame) -> None:
        """Send a frame, or merge it into what waits."""
        if self._window is not None and not self.void:
            self._window.add_frame(self._number, frame)

    def end(self) -> None:
        """End the channel behind everything sent into it."""
        if self._window is not None and not self.void:
            self._window.add_end(self._number)
            self._window.channels.pop(self._number, None)


# Close codes of our WebSockets. 4000–4999 are for applications (RFC 6455, section 7.4.2).
GOING_AWAY = 1001
FAILED = 1011
TRY_AGAIN_LATER = 1013
REPLACED = 4001
TOO_SLOW = 4002
NO_GREETING = 4003
