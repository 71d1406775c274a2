"""How deeply a JSON text is nested, told while it still arrives. Pure, and linear in what it is fed.

Exact for whatever is JSON; what is not is left to the decoder, which refuses it. Format: RFC 8259.
"""

from __future__ import annotations

import operator
import re
from itertools import accumulate, count

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_BRACKETS = b"[{]}"
# Opening adds 2 and closing nothing; with 1 taken off for each of them that is a step down or up.
_STEPS = bytes.maketrans(_BRACKETS, b"\2\2\0\0")
_OTHERS = bytes(byte for byte in range(256) if byte not in _BRACKETS)


class Nesting:
    """Follows a JSON text piece by piece; `limit` is how many levels of lists and objects it may have."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._level = 0
        self._in_string = False
        self._escape = b""

    def exceeded_by(self, piece: bytes) -> bool:
        """Take the next piece of the text. True: with it, it is nested too deeply, whatever follows."""
        plain = _ESCAPE.sub(b"", self._escape + piece)
        self._escape = b"\\" if plain.endswith(b"\\") else b""
        parts = plain.split(b'"')
        outside = b"".join(parts[1 if self._in_string else 0 :: 2])
        self._in_string ^= len(parts) % 2 == 0
        return self._deepest(outside.translate(_STEPS, _OTHERS)) > self._limit

    def _deepest(self, steps: bytes) -> int:
        before, opened = self._level, steps.count(2)
        self._level += 2 * opened - len(steps)
        if before + opened <= self._limit:  # that is nearly every text
            return before
        return before + max(map(operator.sub, accumulate(steps), count(1)), default=0)
