"""What a conversation reads and writes: answers on stdout, everything else on stderr.

stdout has the answers alone, so that it can be piped. What a model says reaches a terminal without control characters:
an answer must not move the cursor, rename the window or fill the clipboard. Piped, it stays as it is.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys

from llamero.commands.report import say

_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIM, _PLAIN, _CLEAR_LINE = "\x1b[2m", "\x1b[0m", "\r\x1b[K"
PROMPT = "> "


class Terminal:
    """The three standard streams."""

    def __init__(self) -> None:
        self.asks = sys.stdin.isatty()
        self.talks = sys.stderr.isatty()
        self._shows = sys.stdout.isatty()
        capable = os.environ.get("TERM") != "dumb" and (sys.platform != "win32" or "WT_SESSION" in os.environ)
        self._steers = self.talks and capable
        self._dims = self._steers and not os.environ.get("NO_COLOR")
        self._open_line = False
        self._reasoning = False
        for stream in (sys.stdin, sys.stdout):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="replace")
        if self.asks and self._shows:
            with contextlib.suppress(ImportError):  # Windows has none; the console edits lines there
                import readline  # noqa: F401 - gives `input` history and editing

    def ask(self) -> str | None:
        """The next line that the user wrote, None when there are no more. Raises KeyboardInterrupt on Ctrl+C."""
        if self.asks and self._shows:
            try:
                return input(PROMPT)
            except EOFError:
                sys.stdout.write("\n")
                return None
        if self.asks:
            self._write_error(PROMPT)
        line = sys.stdin.readline()
        return line.rstrip("\r\n") if line else None

    def reasoning(self, text: str) -> None:
        """Show how the model thinks, to people only."""
        if self.talks:
            self._reasoning = True
            self._write_error(self._dim(_STEERING.sub("", text)))

    def answer(self, text: str) -> None:
        """Write more of the answer."""
        if self._reasoning:
            self._reasoning = False
            self._write_error("\n\n")
        if self._shows:
            text = _STEERING.sub("", text)
        if text:
            sys.stdout.write(text)
            sys.stdout.flush()
            self._open_line = not text.endswith("\n")

    def end_answer(self) -> None:
        """End the line that the answer left open."""
        if self._reasoning:
            self._reasoning = False
            self._write_error("\n")
        if self._open_line:
            self._open_line = False
            sys.stdout.write("\n")
            sys.stdout.flush()

    def note(self, text: str) -> None:
        """Say something quietly, to people only."""
        if self.talks:
            say(self._dim(text))

    def passing_note(self, text: str) -> None:
        """Say something that the next `forget_note` takes away again, where that can be done."""
        if self._steers:
            self._write_error(self._dim(text))

    def forget_note(self) -> None:
        """Take the passing note away."""
        if self._steers:
            self._write_error(_CLEAR_LINE)

    def _dim(self, text: str) -> str:
        return f"{_DIM}{text}{_PLAIN}" if self._dims else text

    def _write_error(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)
            sys.stderr.flush()
