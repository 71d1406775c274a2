"""The event `logs`: new lines of the log, ten times a second at most, for the windows that watch.

Nothing is done while nobody watches. What a slow window has not been sent is superseded by what is newer, as every
event is; lines are numbered, so the page sees what it has missed.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from llamero.bridge.hub import Hub
from llamero.models.logs import LogLines

INTERVAL_S = 0.1
# What a page may be sent at once, and so what one look costs it.
BATCH_LINES = 500
HISTORY_LINES = 1000


class Feed(Protocol):
    """The last lines of the log: `infrastructure.log_feed.LogFeed`."""

    @property
    def next(self) -> int:
        """The number that the next line will get."""
        ...

    def since(self, number: int, limit: int) -> LogLines:
        """The last `limit` of the lines with this number and later ones, as far as they are kept."""
        ...


class LogPush:
    """Who watches, and one task that tells them."""

    def __init__(self, feed: Feed, hub: Hub, *, interval_s: float = INTERVAL_S) -> None:
        self._feed = feed
        self._hub = hub
        self._interval_s = interval_s
        self._watching: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        hub.watch(self._reconsider)
        hub.when_forgotten(self.leave)

    def watch(self, window: str) -> LogLines:
        """A window watches from now on; what it gets first."""
        self._watching.add(window)
        self._reconsider()
        return self._feed.since(0, HISTORY_LINES)

    def leave(self, window: str) -> None:
        """A window watches no longer."""
        self._watching.discard(window)

    async def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _audience(self) -> frozenset[str]:
        return self._hub.connected() & self._watching

    def _reconsider(self) -> None:
        running = self._task is not None and not self._task.done()
        if not running and not self._closed and self._audience():
            self._task = asyncio.create_task(self._tell(), name="the log for windows")

    async def _tell(self) -> None:
        told = self._feed.next
        while windows := self._audience():
            if self._feed.next != told:
                fresh = self._feed.since(told, BATCH_LINES)
                told = fresh.first + len(fresh.lines)
                self._hub.event("logs", fresh, only=windows)
            await asyncio.sleep(self._interval_s)
