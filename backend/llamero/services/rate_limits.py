"""How many requests a key may make: a token bucket that refills steadily. Pure: time is an argument."""

from __future__ import annotations

import msgspec

WINDOW_S = 60.0


class Standing(msgspec.Struct, frozen=True):
    """Where a key stands after a request: whole requests left now, and seconds until all of `limit` are.

    `retry_after_s` is None where the request was let in, else the seconds until the next one is.
    """

    limit: int
    remaining: int
    reset_s: float
    retry_after_s: float | None = None


class TokenBucket:
    """`limit` requests at once, and as many again within each minute. Times are monotonic seconds."""

    def __init__(self, limit: int, now: float) -> None:
        self._limit = limit
        self._per_second = limit / WINDOW_S
        self._tokens = float(limit)
        self._at = now

    def take(self, now: float) -> Standing:
        """Count one request, if there is room for it."""
        self._tokens = min(self._limit, self._tokens + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._tokens < 1:
            return self._standing((1 - self._tokens) / self._per_second)
        self._tokens -= 1
        return self._standing(None)

    def _standing(self, retry_after_s: float | None) -> Standing:
        reset_s = (self._limit - self._tokens) / self._per_second
        return Standing(self._limit, int(self._tokens), reset_s, retry_after_s)
