"""The core beside a window: it starts once, its start can be called off, and it ends once, within its time.

All of it may be called from any thread. `start` hands out the future of the start, which raises what the start raised;
`end` blocks until the core is gone or its time is up, and never raises: whoever ends has nothing better to do then.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

from llamero.desktop.core_thread import CoreThread

logger = logging.getLogger(__name__)

StartCore = Callable[[], Awaitable[None]]
StopCore = Callable[[], Awaitable[None]]

# How long the loop's thread may take once nothing is left to do on it.
_THREAD_END_S = 1.0


class CoreLife:
    """One core's. `thread` is where it lives; `stop_timeout_s` is how many seconds its end may take."""

    def __init__(self, stop_timeout_s: float) -> None:
        self.thread = CoreThread()
        self._stop_timeout_s = stop_timeout_s
        self._starting: Future[None] | None = None
        self._start_task: asyncio.Task[Any] | None = None
        self._ending = threading.Lock()
        self._ended = False

    def start(self, start_core: StartCore) -> Future[None]:
        """Begin to start the core, on its own thread."""
        self.thread.start()
        self._starting = self.thread.run(self._start(start_core))
        return self._starting

    def call_off(self) -> None:
        """Cancel the start, if it is under way."""
        if self._starting is not None:
            self._starting.cancel()

    def failed(self) -> bool:
        """Has the start ended with an error?"""
        starting = self._starting
        if starting is None or not starting.done() or starting.cancelled():
            return False
        return starting.exception() is not None

    def end(self, stop_core: StopCore) -> None:
        """Stop the core. Whoever comes second waits for the first and does nothing."""
        with self._ending:
            if self._ended:
                return
            self._ended = True
            try:
                self.thread.run(self._stop(stop_core)).result(self._stop_timeout_s)
            except (FutureTimeout, CancelledError):
                logger.error("the core did not end within %s s", self._stop_timeout_s)
            except Exception:
                logger.exception("the core ended with an error")
            self.thread.stop(_THREAD_END_S)

    async def _start(self, start_core: StartCore) -> None:
        self._start_task = asyncio.current_task()
        await start_core()

    async def _stop(self, stop_core: StopCore) -> None:
        if self._start_task is not None and not self._start_task.done():
            self._start_task.cancel()
            await asyncio.wait({self._start_task})
        await stop_core()
