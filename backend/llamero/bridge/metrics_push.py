"""The event `metrics`: every second for the windows that look, now and then for those that are merely open.

Each change on the screen makes a window be painted as a whole, so an open window that nobody touches is left alone
most of the time. While a generation runs, every window is told every second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from typing import Protocol

from llamero.bridge.hub import Hub
from llamero.bridge.server_infos import Actor
from llamero.models.llama import ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot

# As often as the hardware is measured while nobody looks.
CALM_S = 30.0

logger = logging.getLogger(__name__)


class Pace(Enum):
    """How often the windows are told."""

    CLOSELY = "every second, with the servers' slots"
    EVERY_SECOND = "every second"
    CALM = "now and then"


class MetricsSource(Protocol):
    """Measures: `services.metrics.MetricsService`."""

    def watch(self, *, closely: bool = False) -> AbstractContextManager[AsyncIterator[HardwareMetrics]]:
        """Look for as long as the context lasts; yields a sample every second. `closely`: servers' slots, too."""
        ...

    async def metrics_for(self, servers: Sequence[ServerSnapshot]) -> MetricsSnapshot:
        """A snapshot with every server that has a process."""
        ...


class MetricsPush:
    """Who looks, and one task that tells them."""

    def __init__(self, source: MetricsSource, actor: Actor, hub: Hub, *, calm_s: float = CALM_S) -> None:
        self._source = source
        self._actor = actor
        self._hub = hub
        self._watching: set[str] = set()
        self._closely: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._calm_s = calm_s
        self._telling_at: Pace | None = None
        hub.watch(self._reconsider)
        hub.when_forgotten(lambda window: self.watch(window, False))

    def watch(self, window: str, watching: bool, *, closely: bool = False) -> None:
        """A window looks, or no longer does; `closely` where it shows what the servers' slots do."""
        self._watching.discard(window)
        self._closely.discard(window)
        if watching:
            self._watching.add(window)
        if watching and closely:
            self._closely.add(window)
        self._reconsider()

    async def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _reconsider(self) -> None:
        """Tell at the pace that fits who is there now."""
        pace = self._pace()
        if pace is self._telling_at and self._task is not None and not self._task.done():
            return
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._telling_at = pace
        if pace is not None:
            self._task = asyncio.create_task(self._tell(pace), name="metrics for windows")

    def _pace(self) -> Pace | None:
        connected = self._hub.connected()
        if self._closed or not connected:
            return None
        if self._closely & connected:
            return Pace.CLOSELY
        return Pace.EVERY_SECOND if self._watching & connected or self._is_busy() else Pace.CALM

    def _is_busy(self) -> bool:
        return any(server.leases for server in self._actor.snapshot.servers)

    async def _tell(self, pace: Pace) -> None:
        """Tell until another pace fits; then another task takes over."""
        try:
            if pace is Pace.CALM:
                await self._tell_now_and_then()
            else:
                await self._tell_every_second(pace)
        except Exception:
            logger.exception("the windows get no more metrics")
            return
        self._task = None
        self._reconsider()

    async def _tell_now_and_then(self) -> None:
        await asyncio.sleep(self._calm_s)  # a window that has just connected was given a snapshot
        while self._pace() is Pace.CALM:
            await self._send(self._hub.connected())
            await asyncio.sleep(self._calm_s)

    async def _tell_every_second(self, pace: Pace) -> None:
        with self._source.watch(closely=pace is Pace.CLOSELY) as samples:
            async for _ in samples:
                connected = self._hub.connected()
                await self._send(connected if self._is_busy() else connected & self._watching)
                if self._pace() is not pace:
                    return

    async def _send(self, windows: frozenset[str]) -> None:
        snapshot = await self._source.metrics_for(self._actor.snapshot.servers)
        self._hub.event("metrics", snapshot, only=windows)
