"""The app's event loop in a thread of its own, since the main thread belongs to the window.

What the window reports is handed over by `call`, which never blocks and never raises, also when the loop has ended.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

_CANCEL_S = 1.0


class CoreThread:
    """A loop to run the core on: `start`, then `run` and `call` from anywhere, then `stop`."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: what hangs in here must not keep the process when everything else is gone.
        self._thread = threading.Thread(target=self._live, name="llamero-core", daemon=True)

    def start(self) -> None:
        """Begin to run the loop."""
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        """Run a coroutine on the loop; cancelling the future cancels it. Raises RuntimeError after the end."""
        try:
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:
            coroutine.close()
            raise

    def call(self, function: Callable[..., object], *arguments: object) -> None:
        """Call a function on the loop, soon."""
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            logger.debug("the core has ended before %s", function)

    def stop(self, timeout_s: float) -> bool:
        """Cancel what still runs, end the loop and wait; False when that takes longer than `timeout_s` seconds."""
        self.call(self._loop.stop)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._cancel_tasks()
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        finally:
            self._loop.close()

    def _cancel_tasks(self) -> None:
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=_CANCEL_S))
