"""The thread that reads a child's output pipe.

It can be told to catch up (read what is there, for the child has ended) and to leave off (somebody else still holds
the pipe). A child that writes without end is slowed down by its full pipe instead of keeping the app busy.
"""

from __future__ import annotations

import logging
import os
import select
import sys
import threading
import time
from collections.abc import Callable

from llamero.infrastructure.processes.output import LineCutter, LineJudge, LogLimiter, OutputRing, clean

CHUNK_BYTES = 65536
BYTES_PER_S = 8 << 20  # far beyond any log, and a tenth of one core
CATCH_UP_BYTES = 1 << 20  # more than a pipe holds by default
_CATCH_UP, _LEAVE_OFF = b"c", b"q"

engine_log = logging.getLogger("llamero.engine")
logger = logging.getLogger(__name__)


class PipeReader:
    """Owns the reading end. `catch_up` and `finish` are for one other thread: the child's waiter."""

    def __init__(
        self, descriptor: int, output: OutputRing, name: str, on_line: Callable[[str], None] | None, judge: LineJudge
    ) -> None:
        self._descriptor = descriptor
        self._output, self._on_line, self._judge = output, on_line, judge
        self._cutter, self._limiter = LineCutter(), LogLimiter(engine_log, name, level_of=judge.level_of)
        self._caught_up = threading.Event()
        if sys.platform != "win32":
            os.set_blocking(descriptor, False)
            self._wake_reader, self._wake_writer = os.pipe()
        self._thread = threading.Thread(target=self._run, name=f"llamero-output-{name}", daemon=True)
        self._thread.start()

    def catch_up(self, timeout_s: float) -> None:
        """Wait until everything that an ended child has written is in the ring."""
        if sys.platform == "win32":
            self._caught_up.wait(min(timeout_s, 0.05))
            return
        os.write(self._wake_writer, _CATCH_UP)
        self._caught_up.wait(timeout_s)

    def finish(self, timeout_s: float) -> None:
        """Read to the end of file, or leave off after `timeout_s`; then give the pipe back."""
        self._thread.join(timeout_s)
        if sys.platform != "win32":
            os.write(self._wake_writer, _LEAVE_OFF)
            self._thread.join()
            os.close(self._wake_reader)
            os.close(self._wake_writer)
        elif self._thread.is_alive():
            return  # closing a pipe that a thread is reading blocks on Windows, too
        os.close(self._descriptor)

    def _run(self) -> None:
        try:
            if sys.platform == "win32":
                while chunk := os.read(self._descriptor, CHUNK_BYTES):
                    self._take(chunk)
            else:
                self._read_until_told()
        except OSError as problem:
            logger.warning("the output of an engine cannot be read any more: %s", problem)
        finally:
            self._flush()
            self._limiter.report()
            self._caught_up.set()

    if sys.platform != "win32":

        def _read_until_told(self) -> None:
            both, wake = select.poll(), select.poll()
            both.register(self._descriptor, select.POLLIN)
            for poll in (both, wake):
                poll.register(self._wake_reader, select.POLLIN)
            window_began, in_window = time.monotonic(), 0
            while True:
                both.poll()
                if wake.poll(0):
                    if os.read(self._wake_reader, 16).endswith(_LEAVE_OFF):
                        return
                    self._catch_up_now()
                chunk = self._read()
                if chunk == b"":
                    return
                if chunk is None:
                    continue
                self._take(chunk)
                in_window += len(chunk)
                elapsed = time.monotonic() - window_began
                if in_window > BYTES_PER_S // 10:
                    wake.poll(max(0, int((in_window / BYTES_PER_S - elapsed) * 1000)))
                    window_began, in_window = time.monotonic(), 0
                elif elapsed > 0.1:
                    window_began, in_window = time.monotonic(), 0

        def _catch_up_now(self) -> None:
            """Read what is in the pipe; what others go on writing is bounded away."""
            taken = 0
            while taken < CATCH_UP_BYTES and (chunk := self._read()):
                self._take(chunk)
                taken += len(chunk)
            self._flush()
            self._caught_up.set()

        def _read(self) -> bytes | None:
            """A chunk, nothing at the end of file, None when there is nothing yet."""
            try:
                return os.read(self._descriptor, CHUNK_BYTES)
            except BlockingIOError:
                return None

    def _take(self, chunk: bytes) -> None:
        self._output.touch()
        self._deliver(self._cutter.feed(chunk))

    def _flush(self) -> None:
        self._deliver(self._cutter.flush())

    def _deliver(self, raw: list[bytes]) -> None:
        if not raw:
            return
        wants = self._judge.wants
        lines = [line for line in map(clean, raw) if wants(line)]
        self._output.extend(lines)
        self._limiter.log(lines)
        if self._on_line is not None:
            for line in lines:
                try:
                    self._on_line(line)
                except Exception:
                    logger.exception("a listener to an engine's output failed and is not told any more")
                    self._on_line = None
                    return
