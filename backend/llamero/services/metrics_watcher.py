"""Somebody who looks at the hardware, and gets the latest sample only: whoever is slow delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from llamero.models.metrics import HardwareMetrics


class Watcher:
    """Somebody who looks: `with service.watch() as samples: async for sample in samples`. For one task.

    Keeps the latest sample only. The iteration ends when the service stops. `closely`: the servers' slots, too.
    """

    def __init__(
        self, begin: Callable[[Watcher], None], end: Callable[[Watcher], None], *, closely: bool = False
    ) -> None:
        self.closely = closely
        self._begin = begin
        self._leave = end
        self._latest: HardwareMetrics | None = None
        self._changed = asyncio.Event()
        self._ended = False

    def __enter__(self) -> Watcher:
        self._begin(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave(self)

    def __aiter__(self) -> Watcher:
        return self

    async def __anext__(self) -> HardwareMetrics:
        while self._latest is None:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        latest, self._latest = self._latest, None
        return latest

    def publish(self, metrics: HardwareMetrics) -> None:
        """Give it a sample in the place of one that it has not taken."""
        self._latest = metrics
        self._changed.set()

    def end(self) -> None:
        """End the iteration."""
        self._ended = True
        self._changed.set()
