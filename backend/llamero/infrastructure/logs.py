"""The log: a bounded set of files with everything, and stderr with what a person must see.

One record is one line, whatever it contains: control characters of the content are escaped, and the lines of a
traceback are marked, so that no engine output, file name or request can forge a record or steer a terminal. Secrets are
masked in the finished text, tracebacks included. Logging never raises and never prints a record that could not be
written; a log that cannot be written is said once on stderr.

The engines' own output comes to the logger `llamero.engine`. What goes to the files is also kept for a while in
`process_feed`, for those who watch.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from datetime import datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

from llamero.infrastructure.log_feed import ENGINE_LOGGER, process_feed
from llamero.infrastructure.plain_text import one_line
from llamero.infrastructure.secret_masking import SecretMask, process_secrets, register_secret

__all__ = ["ENGINE_LOGGER", "LOG_NAME", "configure_logging", "register_secret"]

LOG_NAME = "llamero.log"
FILE_BYTES = 5_000_000
FILE_COUNT = 5
# One record must not push out the rest of the file.
RECORD_LIMIT = 16_384

_OWN = "_llamero_handler"
_BODY = "_llamero_body"


class SafeFormatter(logging.Formatter):
    """`time level logger: message`, one line, masked; then the traceback, each line of it marked.

    What a record says is made once and kept with it: the file asks for it twice, whoever watches a third time.
    """

    def __init__(self, mask: SecretMask = process_secrets) -> None:
        super().__init__()
        self._mask = mask

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished text of a record."""
        time = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        return f"{time} {record.levelname.lower()} {one_line(record.name)}: {self.body(record)}"

    def body(self, record: logging.LogRecord) -> str:
        """Return the message and the traceback."""
        known = record.__dict__.get(_BODY)
        if known is None:
            known = record.__dict__[_BODY] = self._body(record)
        return str(known)

    def _body(self, record: logging.LogRecord) -> str:
        head = self.message(record)
        if not record.exc_info and not record.stack_info:
            return head
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        lines = self._mask.apply(f"{trace}\n{record.stack_info or ''}".strip(), RECORD_LIMIT).split("\n")
        return "\n".join([head, *(f"  | {one_line(line)}" for line in lines)])

    def message(self, record: logging.LogRecord) -> str:
        """Return the message alone. A record whose arguments do not fit its text is shown without them."""
        try:
            text = record.getMessage()
        except Exception:  # any __str__ may run here
            text = f"{record.msg!s} (its arguments do not fit)"
        return one_line(self._mask.apply(text, RECORD_LIMIT))


class BodyFormatter(SafeFormatter):
    """The message and the traceback alone."""

    def format(self, record: logging.LogRecord) -> str:
        """Return what a record says."""
        return self.body(record)


class TerseFormatter(SafeFormatter):
    """`warning: message`, for stderr; tracebacks are in the file."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished text of a record."""
        return f"{record.levelname.lower()}: {self.message(record)}"


class _QuietFile(RotatingFileHandler):
    """A rotating file for this user alone, which says once when it cannot be written."""

    _said = False

    def _open(self) -> io.TextIOWrapper:
        def opener(path: str, flags: int) -> int:
            return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)

        file = open(self.baseFilename, "ab", opener=opener)  # noqa: SIM115
        return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say the first failure on stderr, without the record."""
        error = sys.exc_info()[1]
        if not self._said:
            self._said = True
            _say(f"warning: the log cannot be written: {one_line(str(error))}")


class _QuietStream(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Stay silent: stderr itself is gone."""


def configure_logging(level: str = "info", log_dir: Path | None = None, console_level: str = "warning") -> Path | None:
    """Send the log to `log_dir` (from `level` on) and to stderr (from `console_level` on); return the log file.

    Levels are those of `logging`, in any case. Replaces what an earlier call set up. Without a directory, or when it
    cannot be written, only stderr is used, and None returned. Raises `ValueError` for an unknown level.
    """
    file_level, stderr_level = _level(level), _level(console_level)
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if getattr(handler, _OWN, False)]:
        root.removeHandler(handler)
        if handler is not process_feed:
            handler.close()
    console = _QuietStream(sys.stderr)
    if stderr_level > logging.INFO:
        # What an engine complains about is for its log; whoever asked it tells a person what came of it.
        console.addFilter(lambda record: record.name != ENGINE_LOGGER)
    _add(root, console, stderr_level, TerseFormatter())
    file = _open_file(log_dir) if log_dir is not None else None
    if file is not None:
        _add(root, file, file_level, SafeFormatter())
    if log_dir is not None:
        _add(root, process_feed, file_level, BodyFormatter())
    logging.captureWarnings(True)
    root.setLevel(logging.WARNING)
    logging.getLogger("llamero").setLevel(stderr_level if log_dir is None else min(file_level, stderr_level))
    return Path(file.baseFilename) if file else None


def _add(root: logging.Logger, handler: logging.Handler, level: int, formatter: logging.Formatter) -> None:
    handler.setLevel(level)
    handler.setFormatter(formatter)
    setattr(handler, _OWN, True)
    root.addHandler(handler)


def _open_file(log_dir: Path) -> _QuietFile | None:
    try:
        return _QuietFile(log_dir / LOG_NAME, maxBytes=FILE_BYTES, backupCount=FILE_COUNT - 1)
    except OSError as error:
        _say(f"warning: the log cannot be written: {one_line(str(error))}")
        return None


def _level(name: str) -> int:
    number = logging.getLevelNamesMapping().get(name.upper())
    if number is None:
        raise ValueError(f"unknown log level {name!r}")
    return number


def _say(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(text + "\n")
