"""The application on an event loop in a thread of its own, so that the main thread belongs to the terminal.

Reading a line, writing to a pipe that is full, and Ctrl+C all block or interrupt the main thread and nothing else: a
question at the prompt never holds up an engine, and leaving never waits for somebody to press a key.
"""

from __future__ import annotations

import asyncio
import queue
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
App = TypeVar("App")

# A signal does not interrupt a wait that begins in the moment after it, and on Windows none at all. So each wait ends
# by itself now and then, and Python looks for signals.
_PATIENCE_S = 0.1 if sys.platform == "win32" else 0.5
_CLOSING_S = 30.0


class _End:
    """The last thing that a stream delivers: how it ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Background(Generic[App]):
    """`with Background(opening) as background:` enters `opening` on the loop and leaves it at the end.

    Everything here is for the main thread. Whatever the entering raises, `with` raises.
    """

    def __init__(self, opening: Callable[[], AbstractAsyncContextManager[App]]) -> None:
        self._opening = opening
        self._opened: Future[App] = Future()
        self._thread = threading.Thread(target=self._run, name="llamero-background", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing: asyncio.Event | None = None

    @property
    def app(self) -> App:
        """What was opened."""
        return self._opened.result()

    def __enter__(self) -> Background[App]:
        self._thread.start()
        try:
            _wait(self._opened)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result. An interruption cancels it."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._running_loop())
        try:
            return _wait(future)
        finally:
            future.cancel()

    def stream(self, make: Callable[[], AsyncIterator[T]]) -> Iterator[T]:
        """Iterate on the loop, and give the items out here. Closing the iterator cancels the work behind it."""
        items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async for item in make():
                    items.put(item)
            except BaseException as error:
                items.put(_End(error))
                raise
            items.put(_End(None))

        future = asyncio.run_coroutine_threadsafe(pump(), self._running_loop())
        try:
            while True:
                try:
                    item = items.get(timeout=_PATIENCE_S)
                except queue.Empty:
                    continue
                if isinstance(item, _End):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
        finally:
            future.cancel()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            raise RuntimeError("the background has not been opened")
        return self._loop

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            if not self._opened.done():
                self._opened.set_exception(error)

    async def _live(self) -> None:
        self._closing = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        async with self._opening() as app:
            self._opened.set_result(app)
            await self._closing.wait()

    def _close(self) -> None:
        """Leave what was opened and wait until that is done. Another Ctrl+C must not leave half of it behind."""
        interruptible = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            if self._loop is not None and self._closing is not None and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._closing.set)
            self._thread.join(_CLOSING_S)
        finally:
            signal.signal(signal.SIGINT, interruptible)


def _wait(future: Future[T]) -> T:
    """Wait in a way that Ctrl+C can interrupt."""
    while True:
        try:
            return future.result(timeout=_PATIENCE_S)
        except TimeoutError:
            if future.done():  # in that moment, or it is the result's own
                return future.result()
