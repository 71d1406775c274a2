"""Ids in order of time: UUIDs of version 7 (RFC 9562), whose first bits are the milliseconds since the epoch.

Invariant: within one process every id is greater than the one before, also within a millisecond and when the wall
clock is set back: the 12 bits behind the time count on, and carry into it (RFC 9562, 6.2, method 1).
"""

from __future__ import annotations

import secrets
import uuid

from llamero.infrastructure.clock import Clock

_VERSION = 7 << 76
_VARIANT = 0b10 << 62


class IdMaker:
    """Makes ids. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def new(self) -> str:
        """The next id."""
        self._last = max(self._last + 1, int(self._clock.time() * 1000) << 12)
        milliseconds, count = self._last >> 12, self._last & 0xFFF
        value = milliseconds << 80 | _VERSION | count << 64 | _VARIANT | secrets.randbits(62)
        return str(uuid.UUID(int=value))
