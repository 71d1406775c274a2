"""How long a model is to be kept, as Ollama's clients write it.

Format: a number of seconds, or a duration of Go (`time.ParseDuration`): numbers with units in a row, such as `1h30m` or
`1.5s`, with a sign before all of them. A negative time means for good. A bare number in quotes is taken as seconds.
"""

from __future__ import annotations

import math
import re

from llamero.models.errors import InvalidRequest

FOR_GOOD = -1.0
LONGEST_S = 31_536_000.0  # a year, as everywhere in Llamero
_UNITS_S = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_WHOLE = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_NUMBER = re.compile(r"\d+\.?\d*|\.\d+", re.ASCII)
_LONGEST_TEXT = 100


def keep_alive_s(value: float | str | None) -> float | None:
    """Return the seconds that `keep_alive` means, negative for good; None where it is not given.

    Raises InvalidRequest for what is no duration.
    """
    if value is None:
        return None
    seconds = _parsed(value.strip()) if isinstance(value, str) else float(value)
    if seconds is None or not math.isfinite(seconds):
        raise InvalidRequest("request_error-wrong_type", param="keep_alive", expected='a duration such as "5m"')
    return FOR_GOOD if seconds < 0 else min(seconds, LONGEST_S)


def _parsed(text: str) -> float | None:
    sign, size = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if len(size) > _LONGEST_TEXT:
        return None
    if _NUMBER.fullmatch(size):
        return sign * float(size)
    if not _WHOLE.fullmatch(size):
        return None
    return sign * sum(float(number) * _UNITS_S[unit] for number, unit in _PART.findall(size))
