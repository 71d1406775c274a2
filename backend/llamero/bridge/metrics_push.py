"""The event `metrics`, every second, for the windows that look; while none does, nothing is measured for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from llamero.bridge.hub import Hub
from llamero.bridge.server_infos import Actor
from llamero.models.llama import ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot

logger = logging.getLogger(__name__)


class MetricsSource(Protocol):
    """Measures: `services.metrics.MetricsService`."""

    def watch(self) -> AbstractContextManager[AsyncIterator[HardwareMetrics]]:
        """Look for as long as the context lasts; yields a sample every second."""
        ...

    async def metrics_for(self, servers: Sequence[ServerSnapshot]) -> MetricsSnapshot:
        """A snapshot with every server that has a process."""
        ...


class MetricsPush:
    """Who looks, and one task that tells them."""

    def __init__(self, source: MetricsSource, actor: Actor, hub: Hub) -> None:
        self._source = source
        self._actor = actor
        self._hub = hub
        self._watching: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        hub.watch(self._reconsider)
        hub.when_forgotten(lambda window: self.watch(window, False))

    def watch(self, window: str, watching: bool) -> None:
        """A window looks, or no longer does. One that is away is not measured for."""
        if watching:
            self._watching.add(window)
        else:
            self._watching.discard(window)
        self._reconsider()

    async def close(self) -> None:
        """Tell nobody any more."""
        self._closed = True
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _reconsider(self) -> None:
        wanted = bool(self._watching & self._hub.connected()) and not self._closed
        if wanted and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._tell(), name="metrics for windows")
        elif not wanted and self._task is not None:
            self._task.cancel()
            self._task = None

    async def _tell(self) -> None:
        try:
            with self._source.watch() as samples:
                async for _ in samples:
                    snapshot = await self._source.metrics_for(self._actor.snapshot.servers)
                    self._hub.event("metrics", snapshot, only=self._watching & self._hub.connected())
        except Exception:
            logger.exception("the windows get no more metrics")
