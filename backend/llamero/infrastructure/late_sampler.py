"""The hardware's sampler, imported with the first sample: what reads processors and GPUs is no part of a fast start."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llamero.infrastructure.clock import Clock
from llamero.models.metrics import HardwareMetrics, ProcessMetrics

if TYPE_CHECKING:
    from llamero.infrastructure.metrics import HardwareSampler


class LateSampler:
    """See `infrastructure.metrics.HardwareSampler`. Not for use from two threads at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: HardwareSampler | None = None

    def sample(self) -> HardwareMetrics:
        """Read everything once; what cannot be read is None."""
        return self._sampler().sample()

    def processes(self, pids: Iterable[int]) -> dict[int, ProcessMetrics]:
        """Measure the tree below each process id; those that are gone are missing from the answer."""
        return self._sampler().processes(pids)

    def close(self) -> None:
        """Give back what the GPU readers hold; a later sample begins anew."""
        if self._made is not None:
            self._made.close()

    def _sampler(self) -> HardwareSampler:
        if self._made is None:
            from llamero.infrastructure.metrics import HardwareSampler

            self._made = HardwareSampler(self._clock)
        return self._made
