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
# Plain words, looked for in the beginning of a line: a pattern would take its time over a line that is made to be long.
_ERRORS = (
    "error:",
    "error ",
    "failed to",
    "fatal",
    "ggml_assert",
    "ggml_abort",
    "terminate called",
    "traceback",
    "couldn't bind",
    "exiting due to",
    "out of memory",
    "insufficient memory",
)
_WARNINGS = ("warning", "warn:", "deprecated")
_LOOKED_AT = 200


def level_of(line: str) -> int:
    """The level of `logging` that a line of an engine's output has."""
    if marked := _MARKED.match(line):
        return _LEVELS[marked[1]]
    words = line[:_LOOKED_AT].lower()
    if any(word in words for word in _ERRORS):
        return logging.ERROR
    return logging.WARNING if any(word in words for word in _WARNINGS) else logging.INFO


class EngineLines:
    """Judges the lines of one engine, as `processes.output.LineJudge`. `expect_refusal` is for any other thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refusal_until = 0.0

    def expect_refusal(self) -> None:
        """The engine is about to refuse a request that we sent it in order to be refused."""
        self._refusal_until = self._clock.monotonic() + REFUSAL_S

    def wants(self, line: str) -> bool:
        """Not the refusal that was expected, which is no news to anybody."""
        if not self._refusal_until or _REFUSAL not in line.lower():
            return True
        in_time = self._clock.monotonic() <= self._refusal_until
        self._refusal_until = 0.0
        return not in_time

    def level_of(self, line: str) -> int:
        """As the function has it."""
        return level_of(line)
