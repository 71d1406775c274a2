"""A clock that a test moves by hand."""

from __future__ import annotations

import asyncio
import contextlib


class FakeClock:
    """Both times stand still until `advance`; `wall` may be moved on its own."""

    def __init__(self, monotonic: float = 1000.0, wall: float = 1_800_000_000.0) -> None:
        self.now = monotonic
        self.wall = wall
        self._waits: dict[asyncio.Future[None], tuple[float, asyncio.Event]] = {}
        self._changed = asyncio.Event()

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.now

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        due: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waits[due] = self.now + seconds, event
        self._changed.set()
        setting = asyncio.ensure_future(event.wait())
        try:
            await asyncio.wait((due, setting), return_when=asyncio.FIRST_COMPLETED)
            return event.is_set()
        finally:
            del self._waits[due]
            setting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await setting

    def advance(self, seconds: float) -> None:
        """Let time pass, and with it the waits that are due."""
        self.now += seconds
        self.wall += seconds
        for due, (at, _) in self._waits.items():
            if at <= self.now and not due.done():
                due.set_result(None)

    async def remaining(self) -> float:
        """The seconds until the next wait is over, once there is one that neither time nor its event has ended."""
        async with asyncio.timeout(10):
            while not (pending := self._pending()):
                self._changed.clear()
                await self._changed.wait()
        return min(pending) - self.now

    def _pending(self) -> list[float]:
        return [at for due, (at, event) in self._waits.items() if not due.done() and not event.is_set()]
