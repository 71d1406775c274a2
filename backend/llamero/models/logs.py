"""Lines of the log as they are shown: those of the app and those that the engines wrote."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class LogSource(StrEnum):
    """Who wrote a line."""

    APP = "app"
    ENGINE = "engine"


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record. `at` is seconds since the epoch; `name` is the logger, or the model whose engine wrote it.

    `text` has more than one line where a traceback belongs to it.
    """

    at: float
    level: str
    source: LogSource
    name: str
    text: str


class LogLines(msgspec.Struct, frozen=True, kw_only=True):
    """Records that follow each other. `first` is the number of the first; numbers that were skipped were dropped."""

    first: int
    lines: tuple[LogLine, ...]
