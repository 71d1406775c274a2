"""The last records of the log in memory, for those who watch it.

What a record says is made once for the file and taken over from there, masked and without control characters. Memory
is bounded by records and by characters, whatever is logged; each record has a number, so that who watches knows how
many went by unseen. Safe from any thread; adding never blocks on a watcher.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import deque

from llamero.models.logs import LogLine, LogLines, LogSource

KEPT_LINES = 2000
KEPT_CHARACTERS = 1 << 20
# What one line may take of a watcher's screen; the file has all of it.
LINE_CHARACTERS = 4096
ENGINE_LOGGER = "llamero.engine"

_OF_ENGINE = re.compile(r"\[([^\]]{1,200})\] ?")


class LogFeed(logging.Handler):
    """A handler that keeps. Its formatter returns what a record says, without time, level and logger."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = threading.Lock()
        self._lines: deque[LogLine] = deque()
        self._characters = 0
        self._next = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        try:
            line = _line(record, self.format(record))
        except Exception:  # a record that cannot be shown is no reason to fail
            self.handleError(record)
            return
        with self._guard:
            self._lines.append(line)
            self._next += 1
            self._characters += len(line.text)
            while len(self._lines) > KEPT_LINES or self._characters > KEPT_CHARACTERS:
                self._characters -= len(self._lines.popleft().text)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Stay silent: the file says it."""

    def since(self, number: int, limit: int = KEPT_LINES) -> LogLines:
        """The last `limit` of the lines with this number and later ones, as far as they are kept."""
        with self._guard:
            oldest = self._next - len(self._lines)
            first = max(number, oldest, self._next - limit)
            lines = tuple(self._lines)[first - oldest :] if first < self._next else ()
            return LogLines(first=self._next - len(lines), lines=lines)

    @property
    def next(self) -> int:
        """The number that the next line will get."""
        return self._next

    def clear(self) -> None:
        """Forget the lines, not the count."""
        with self._guard:
            self._lines.clear()
            self._characters = 0


def _line(record: logging.LogRecord, text: str) -> LogLine:
    level = record.levelname.lower()
    if len(text) > LINE_CHARACTERS:
        text = f"{text[:LINE_CHARACTERS]}…"
    if record.name == ENGINE_LOGGER and (named := _OF_ENGINE.match(text)):
        return LogLine(at=record.created, level=level, source=LogSource.ENGINE, name=named[1], text=text[named.end() :])
    return LogLine(at=record.created, level=level, source=LogSource.APP, name=record.name, text=text)


process_feed = LogFeed()
