"""Time as the services see it, so that tests advance it by hand instead of sleeping.

`monotonic` never goes backwards and orders events; `time` is the wall clock, which a person or NTP may change at any
moment, and is for showing only. On Linux and macOS `monotonic` stands still while the machine is suspended.
"""

from __future__ import annotations

import asyncio
import time
from time import monotonic as _monotonic
from typing import Protocol


class Clock(Protocol):
    """The two times and the one way to wait."""

    def time(self) -> float:
        """Wall-clock seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, never going backwards."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until the event is set (True) or that many monotonic seconds have passed (False)."""
        ...


class SystemClock:
    """The machine's own time."""

    def time(self) -> float:
        """Wall-clock seconds since the epoch."""
        return time.time()

    # Seconds since an arbitrary moment, never going backwards. The function itself, as it is called for every token.
    monotonic = staticmethod(_monotonic)

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until the event is set (True) or that many monotonic seconds have passed (False)."""
        try:
            async with asyncio.timeout(max(0.0, seconds)):
                await event.wait()
        except TimeoutError:
            return False
        return True
