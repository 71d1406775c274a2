"""Everything pushed to the windows. Publishing never waits: each window has a bounded account of its own.

The hub is the `Publisher` of the services. All of it belongs to one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import get_args, get_origin

import msgspec

from llamero.bridge.windows import GOING_AWAY, REPLACED, HubLimits, Link, Window, WindowChannel
from llamero.models.aliases import Alias
from llamero.models.bench import BenchFrame
from llamero.models.bridge.chats import ConversationRef, MessagePlace, NewChat
from llamero.models.bridge.servers import ModelInfo, ServerInfo
from llamero.models.bridge.window import UiState
from llamero.models.conversations import Conversation, Message
from llamero.models.errors import RateLimited
from llamero.models.inspector import RequestsChanged
from llamero.models.logs import LogLines
from llamero.models.metrics import MetricsSnapshot
from llamero.models.settings_report import SettingsReport
from llamero.models.updates import UpdateReport

# What may be published, and the type of its payload.
EVENTS: Mapping[str, object] = {
    "conversation": Conversation,
    "conversation_deleted": ConversationRef,
    "message": Message,
    "message_deleted": MessagePlace,
    "message_restored": MessagePlace,
    "servers": tuple[ServerInfo, ...],
    "models": tuple[ModelInfo, ...],
    "aliases": tuple[Alias, ...],
    "metrics": MetricsSnapshot,
    "logs": LogLines,
    "requests": RequestsChanged,
    "bench": BenchFrame,
    "settings": SettingsReport,
    "new_chat": NewChat,
    "notice": str,
    "update": UpdateReport,
    "ui": UiState,
}

_encode = msgspec.json.Encoder().encode


class Hub:
    """The windows, and the way to them."""

    def __init__(self, limits: HubLimits | None = None) -> None:
        self.limits = limits or HubLimits()
        self._windows: dict[str, Window] = {}
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._watchers: list[Callable[[], None]] = []
        self._mourners: list[Callable[[str], None]] = []
        self._closed = False

    # Publishing

    def channel(self, window: str, number: int) -> WindowChannel:
        """Open a channel of a window, which may not have connected yet. Void where there is no room for the window."""
        known = self._find(window)
        return WindowChannel(None, number) if known is None else known.open_channel(number)

    def event(self, name: str, payload: object, *, but: str | None = None, only: Collection[str] | None = None) -> None:
        """Tell every window, or those named in `only`, all but `but`. The payload is of the type in `EVENTS`."""
        if not _fits(payload, EVENTS[name]):
            raise TypeError(f"the event {name} does not carry a {type(payload).__name__}")
        body = b'"ev":"%b","d":%b' % (name.encode(), _encode(payload))
        key = _key(payload)
        for window in self._windows.values():
            if window.key != but and (only is None or window.key in only):
                window.add_event(name, key, body)

    # Windows

    def connect(self, key: str) -> tuple[Window, Link]:
        """A window opens a connection, which takes the place of an earlier one. None is left behind by `disconnect`.

        Raises RateLimited where there are too many windows.
        """
        window = self._find(key)
        if window is None or self._closed:
            raise RateLimited(limit=self.limits.max_windows)
        if window.link is not None:
            window.link.end(REPLACED)
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        window.link = Link()
        self._tell_watchers()
        return window, window.link

    def disconnect(self, window: Window, link: Link) -> None:
        """A connection is gone; its window is remembered for a while, unless another connection has taken over."""
        if window.link is link:
            window.link = None
            self._forget_later(window.key)
            self._tell_watchers()

    def begin(self, window: Window) -> None:
        """A snapshot follows: whatever the window's page had opened before is over."""
        if window.restart():
            self._tell_forgotten(window.key)

    def connected(self) -> frozenset[str]:
        """The windows that have a connection now."""
        return frozenset(key for key, window in self._windows.items() if window.link is not None)

    def known(self) -> frozenset[str]:
        """The windows that are connected or may come back."""
        return frozenset(self._windows)

    def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` whenever a window connects or goes."""
        self._watchers.append(changed)

    def when_forgotten(self, forgotten: Callable[[str], None]) -> None:
        """Call `forgotten` with the name of each window that will not come back, or begins anew."""
        self._mourners.append(forgotten)

    @property
    def held(self) -> int:
        """About how many bytes are held for all windows."""
        return sum(window.held for window in self._windows.values())

    def close(self) -> None:
        """Close every connection; nothing connects again."""
        self._closed = True
        for leaving in self._leaving.values():
            leaving.cancel()
        self._leaving.clear()
        for window in self._windows.values():
            if window.link is not None:
                window.link.end(GOING_AWAY)

    def _find(self, key: str) -> Window | None:
        """The window of that name, made if there is room; the one that went first makes room."""
        window = self._windows.get(key)
        if window is not None:
            return window
        if len(self._windows) >= self.limits.max_windows:
            if not self._leaving:
                return None
            self._forget(next(iter(self._leaving)))
        window = self._windows[key] = Window(key, self.limits)
        self._forget_later(key)
        return window

    def _forget_later(self, key: str) -> None:
        if not self._closed:
            loop = asyncio.get_running_loop()
            self._leaving[key] = loop.call_later(self.limits.remember_s, self._forget, key)

    def _forget(self, key: str) -> None:
        leaving = self._leaving.pop(key, None)
        if leaving is not None:
            leaving.cancel()
        window = self._windows.pop(key, None)
        if window is not None:
            window.channels.clear()  # void
            self._tell_forgotten(key)

    def _tell_forgotten(self, key: str) -> None:
        for forgotten in self._mourners:
            forgotten(key)

    def _tell_watchers(self) -> None:
        for changed in self._watchers:
            changed()


def channel_number(channel: str) -> int:
    """Read the number out of a `ChannelId`, whose form has been checked."""
    return int(channel.rpartition(":")[2])


def _key(payload: object) -> str:
    """Which of several things of its kind an event is about."""
    match payload:
        case Conversation(id=key) | Message(id=key) | ConversationRef(conversation_id=key):
            return key
        case MessagePlace(message_id=key):
            return key
    return ""


def _fits(payload: object, kind: object) -> bool:
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        return isinstance(payload, tuple) and all(isinstance(element, item) for element in payload)
    return isinstance(kind, type) and isinstance(payload, kind)
