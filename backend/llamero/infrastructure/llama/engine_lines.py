"""What an engine's lines are: how much each matters, and which one is our own doing.

llama.cpp (common/log.cpp, about b11549) begins a line with the time since its start and a letter for the level,
`0.01.464.038 W srv  operator(): …`, or with the letter alone where times are off. What libraries, assertions and the
reading of the command line write has neither, and is judged by its words.
"""

from __future__ import annotations

import logging
import re

from llamero.infrastructure.clock import Clock

# How long an engine may take to write that it has refused a request; it logs from a thread of its own.
REFUSAL_S = 5.0
_REFUSAL = "invalid api key"
_MARKED = re.compile(r"(?:\d+\.\d\d\.\d{3}\.\d{3} )?([DIWE]) ")
_LEVELS = {"D": logging.DEBUG, "I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR}
_ERROR = re.compile(
    r"\berror\b|\w+Error: |\bfailed to\b|\bfatal\b|GGML_ASSERT|GGML_ABORT|^terminate called|^Traceback|"
    r"couldn't bind|exiting due to|out of memory|insufficient memory",
    re.IGNORECASE,
)
_WARNING = re.compile(r"\bwarn(ing)?\b|\bdeprecated\b", re.IGNORECASE)


def level_of(line: str) -> int:
    """The level of `logging` that a line of an engine's output has."""
    if marked := _MARKED.match(line):
        return _LEVELS[marked[1]]
    if _ERROR.search(line):
        return logging.ERROR
    return logging.WARNING if _WARNING.search(line) else logging.INFO


class EngineLines:
    """The lines of one engine. `level_of` runs on the thread that reads them, `expect_refusal` on any other."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refusal_until = 0.0

    def expect_refusal(self) -> None:
        """The engine is about to refuse a request that we sent it in order to be refused."""
        self._refusal_until = self._clock.monotonic() + REFUSAL_S

    def level_of(self, line: str) -> int | None:
        """The level of a line; None for the refusal that was expected, which is no news to anybody."""
        if self._refusal_until and _REFUSAL in line.lower():
            in_time = self._clock.monotonic() <= self._refusal_until
            self._refusal_until = 0.0
            if in_time:
                return None
        return level_of(line)
