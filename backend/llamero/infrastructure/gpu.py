"""What every GPU reader has in common: the Protocol, its one failure, and when to ask again after it.

Invariants: no GPU is a normal answer (an empty tuple), never a failure; a sensor that is missing is None; a reader that
failed is not asked again before its back-off has passed, and until then repeats the failure it had.
"""

from __future__ import annotations

from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.models.metrics import GpuMetrics


class GpuFailed(Exception):
    """A reader could not read. `reason` is one sentence for a person; `remaining` are the GPUs that still answer."""

    def __init__(self, reason: str, *, remaining: tuple[GpuMetrics, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remaining = remaining


class GpuReaderMissing(GpuFailed):
    """This way of asking is not installed here, which is normal: no trouble to report."""


class GpuPending(GpuFailed):
    """Asked for the first time and not answered yet: no trouble to report, and nobody else need be asked."""


class GpuReader(Protocol):
    """One way of asking. Used from any thread; `close` gives everything back, and a later `read` begins anew."""

    def read(self) -> tuple[GpuMetrics, ...]:
        """Read every GPU. Raises `GpuFailed`."""
        ...

    def process_memory(self) -> dict[int, int]:
        """GPU memory in bytes by process id, as far as it is told. Raises `GpuFailed`."""
        ...

    def close(self) -> None:
        """Give back what is held; harmless when nothing is."""
        ...


class Retry:
    """Holds a failure for a back-off that doubles from `first_s` to `longest_s` while it goes on failing."""

    def __init__(self, clock: Clock, *, first_s: float = 2.0, longest_s: float = 60.0) -> None:
        self._clock = clock
        self._first_s = first_s
        self._longest_s = longest_s
        self._delay_s = first_s
        self._until = 0.0
        self._failure: GpuFailed | None = None

    @property
    def due(self) -> bool:
        """May be asked again? True as well when nothing failed."""
        return self._failure is None or self._clock.monotonic() >= self._until

    def check(self) -> None:
        """Repeat the failure while its back-off lasts. Raises `GpuFailed`."""
        if self._failure is not None and not self.due:
            raise self._failure.with_traceback(None)

    def failed(self, failure: GpuFailed) -> GpuFailed:
        """Remember a failure and return it, to be raised."""
        self._failure = failure
        self._until = self._clock.monotonic() + self._delay_s
        self._delay_s = min(self._longest_s, self._delay_s * 2)
        return failure

    def succeeded(self) -> None:
        """Forget the failure and begin again with the shortest back-off."""
        self._failure = None
        self._delay_s = self._first_s


def percent(value: float | None) -> float | None:
    """A load in percent, or None for what cannot be one (drivers report all ones for 'unknown')."""
    return float(value) if value is not None and 0 <= value <= 100 else None


def celsius(value: float | None) -> float | None:
    """A plausible temperature of a chip, or None."""
    return float(value) if value is not None and -50 <= value <= 200 else None


def watts(value: float | None) -> float | None:
    """A plausible power draw, or None."""
    return float(value) if value is not None and 0 <= value <= 10_000 else None


def memory_bytes(value: int | None) -> int | None:
    """A plausible amount of memory, or None: beyond 2**50 it is a driver's 'unknown'."""
    return value if value is not None and 0 <= value < 2**50 else None
