"""What a child wrote: cut into lines of bounded length, the last of them kept, some of them logged.

Memory stays the same whatever the child does: a line holds at most 8 KB, the ring 512 lines, and the log gets at most
200 lines a second and the number of those left out.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from llamero.models.llama import OutputLines

RING_LINES = 512
LINE_BYTES = 8192
LOG_LINES_PER_S = 200
_CUT_MARK_BYTES = 32

_ESCAPE_SEQUENCES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_CONTROLS = bytes(byte for byte in range(32) if byte != 9) + b"\x7f"


class LineJudge(Protocol):
    """What a child's lines are taken for. Called on the thread that reads them; both must be quick."""

    def wants(self, line: str) -> bool:
        """Is anybody to see it? Asked of every line."""
        ...

    def level_of(self, line: str) -> int:
        """The level of `logging` that it has. Asked of those that may be logged."""
        ...


class PlainLines:
    """Takes every line for information."""

    def wants(self, _line: str) -> bool:
        """Always."""
        return True

    def level_of(self, _line: str) -> int:
        """That of information."""
        return logging.INFO


def clean(line: bytes) -> str:
    """Decode a line for people to read: no escape sequences or controls that would act on a terminal."""
    if b"\x1b" in line:
        line = _ESCAPE_SEQUENCES.sub(b"", line)
    return line.translate(None, _CONTROLS).decode("utf-8", "replace")


class LineCutter:
    """Cuts chunks of bytes into lines. What a line has beyond its limit is counted and dropped as it comes."""

    def __init__(self, limit: int = LINE_BYTES) -> None:
        self._limit = limit - _CUT_MARK_BYTES
        self._partial = bytearray()
        self._dropped = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Add a chunk; returns the lines that it completed, without their ends."""
        first, *others = chunk.split(b"\n")
        self._extend(first)
        if not others:
            return []
        lines = [self._take()]
        for line in others[:-1]:
            if len(line) > self._limit:
                self._extend(line)
                lines.append(self._take())
            else:
                lines.append(line.removesuffix(b"\r"))
        self._extend(others[-1])
        return lines

    def flush(self) -> list[bytes]:
        """Return what was written after the last line end, if anything."""
        return [self._take()] if self._partial else []

    def _extend(self, piece: bytes) -> None:
        room = self._limit - len(self._partial)
        self._partial += piece[:room]
        self._dropped += max(0, len(piece) - room)

    def _take(self) -> bytes:
        line = bytes(self._partial).removesuffix(b"\r")
        if self._dropped:
            line += b" [%d bytes cut]" % self._dropped
        self._partial.clear()
        self._dropped = 0
        return line


class LogLimiter:
    """Passes lines on to the log, at most so many a second; the rest is counted and reported once a second."""

    def __init__(
        self,
        logger: logging.Logger,
        name: str,
        *,
        level_of: Callable[[str], int] = lambda _line: logging.INFO,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._logger, self._name, self._level_of, self._clock = logger, name, level_of, clock
        self._second = -1
        self._passed = 0
        self._left_out = 0

    def log(self, lines: list[str]) -> None:
        """Log the lines at their levels, or count them. One whose level is not logged takes nobody's place."""
        second = int(self._clock())
        if second != self._second:
            self.report()
            self._second, self._passed = second, 0
        for number, line in enumerate(lines):
            if self._passed >= LOG_LINES_PER_S:
                self._left_out += len(lines) - number
                return
            level = self._level_of(line)
            if self._logger.isEnabledFor(level):
                self._logger.log(level, "[%s] %s", self._name, line)
                self._passed += 1

    def report(self) -> None:
        """Log how many lines were left out since the last report."""
        if self._left_out:
            self._logger.info("[%s] %d lines left out", self._name, self._left_out)
            self._left_out = 0


class OutputRing:
    """The last lines of one child, stdout and stderr together as they came. Thread-safe."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=RING_LINES)
        self._written = 0
        self._lock = threading.Lock()
        self._last_output_at = time.monotonic()

    @property
    def last_output_at(self) -> float:
        """When the child last wrote anything, in monotonic seconds; until it does, when it was started."""
        return self._last_output_at

    def tail(self, count: int = 20) -> tuple[str, ...]:
        """The last `count` lines, oldest first."""
        with self._lock:
            return tuple(self._lines)[-count:] if count > 0 else ()

    def since(self, written: int) -> OutputLines:
        """What was added after the first `written` lines, as far as it is still here."""
        with self._lock:
            fresh = min(max(0, self._written - written), len(self._lines))
            return OutputLines(written=self._written, lines=tuple(self._lines)[len(self._lines) - fresh :])

    def touch(self) -> None:
        """Note that the child wrote something."""
        self._last_output_at = time.monotonic()

    def extend(self, lines: list[str]) -> None:
        """Add lines."""
        with self._lock:
            self._lines.extend(lines)
            self._written += len(lines)
