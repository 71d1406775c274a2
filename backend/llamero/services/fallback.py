"""Which of a fallback's targets is tried next, and what counts as a failure that another target may mend. Pure.

A refusal of the request itself would be the same anywhere, so the client gets it as it is. Whatever lies with the
target, its key, its limits or its health, is a reason to try the next one, and to leave this one alone for a while: it
then comes last, not never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from llamero.models.errors import BadModelFile, InvalidArgument, LlameroError

# 402: the account at that server is used up.
FALL_THROUGH = frozenset({401, 402, 403, 404, 408, 429, 500, 502, 503, 504})
LONGEST_COOLDOWN_S = 86_400.0
_TARGET_AT_FAULT = 500


def falls_through(status: int) -> bool:
    """Tell whether another target may do better. Statuses from 500 on that are nobody's standard count as well."""
    return status in FALL_THROUGH or status >= 500


def failure_status(error: LlameroError) -> int:
    """Return the status that an error of ours stands for in this: what is wrong with a target is not the request's."""
    return _TARGET_AT_FAULT if isinstance(error, BadModelFile | InvalidArgument) else error.status


def cooldown_s(default: float, retry_after: float | None) -> float:
    """Return for how many seconds a target is left alone: as long as it asks for, but no less than the default."""
    return min(max(default, retry_after or 0.0), max(default, LONGEST_COOLDOWN_S))


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, None where there is none that makes sense.

    Format: RFC 9110, section 10.2.3, seconds or a date; `now` is the wall clock in seconds since the epoch.
    """
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if value.isascii() and value.isdecimal():
        return float(value[:10])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, moment.timestamp() - now)


class Pause(msgspec.Struct, frozen=True):
    """Until when a target is left alone, in monotonic seconds, and the failure that was the reason."""

    until: float
    failed: LlameroError | int
    """An error of ours, or the status that the target answered with."""


class Cooldowns:
    """Which targets are left alone, and until when. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._pauses: dict[str, Pause] = {}

    def cool(self, target: str, now: float, seconds: float, failed: LlameroError | int) -> None:
        """Leave the target alone for so long, or as long as it is already, whichever is longer."""
        self._pauses = self.paused(now)
        known = self._pauses.get(target)
        until = now + seconds if known is None else max(now + seconds, known.until)
        self._pauses[target] = Pause(until, failed)

    def warm(self, target: str) -> None:
        """The target works."""
        self._pauses.pop(target, None)

    def paused(self, now: float) -> dict[str, Pause]:
        """Return the targets that are left alone now."""
        return {target: pause for target, pause in self._pauses.items() if pause.until > now}

    def order(self, targets: Sequence[str], now: float) -> tuple[str, ...]:
        """Return the targets as they are to be tried: in their order, those that are left alone last."""
        paused = self.paused(now)
        return tuple(sorted(targets, key=lambda target: target in paused))
