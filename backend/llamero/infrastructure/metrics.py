"""One sample of the whole machine: CPU and RAM through psutil, GPUs through their readers.

Everything here is synchronous and made to cost a few milliseconds at most; it runs in one worker thread. Invariants: a
sensor that fails is None and costs no other sensor; loads come from the counters of two samples, so the first sample
has none (psutil's own `cpu_percent` would say 0).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import psutil

from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.gpu_probe import GpuProbe
from llamero.infrastructure.outage import Outage
from llamero.infrastructure.process_metrics import SHORTEST_DIFFERENCE_S, ProcessSampler
from llamero.models.metrics import HardwareMetrics, ProcessMetrics

T = TypeVar("T")

logger = logging.getLogger(__name__)


class HardwareSampler:
    """Samples the machine and process trees. Not for use from two threads at once."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        gpus: GpuProbe | None = None,
        read_cpu: Callable[[], Sequence[Any]] = lambda: psutil.cpu_times(percpu=True),
        read_memory: Callable[[], Any] = psutil.virtual_memory,
    ) -> None:
        self._clock = clock if clock is not None else SystemClock()
        self._gpus = gpus if gpus is not None else GpuProbe(self._clock)
        self._cpu = CpuLoad(self._clock, read_cpu)
        self._read_memory = read_memory
        self._processes = ProcessSampler(self._clock)
        self._cpu_outage = Outage(logger, "CPU readings")
        self._memory_outage = Outage(logger, "RAM readings")

    def sample(self) -> HardwareMetrics:
        """Read everything once; what cannot be read is None."""
        at, monotonic = self._clock.time(), self._clock.monotonic()
        total, cores = _guarded(self._cpu.read, self._cpu_outage) or (None, ())
        memory = _guarded(self._read_memory, self._memory_outage)
        reading = self._gpus.read()
        return HardwareMetrics(
            at=at,
            monotonic=monotonic,
            cpu=total,
            cpu_cores=cores,
            # What programs cannot get, rather than what is not free: caches are given up on demand.
            ram_used=memory.total - memory.available if memory is not None else None,
            ram_total=memory.total if memory is not None else None,
            gpus=reading.gpus,
            gpu_note=reading.note,
        )

    def processes(self, pids: Iterable[int]) -> dict[int, ProcessMetrics]:
        """Measure the tree below each process id; those that are gone are missing from the answer."""
        return self._processes.sample(pids, self._gpus.process_memory)

    def close(self) -> None:
        """Give back what the GPU readers hold; a later sample begins anew."""
        self._gpus.close()


class CpuLoad:
    """CPU load in percent, in total and per core, between two readings of the system's counters."""

    def __init__(self, clock: Clock, read: Callable[[], Sequence[Any]]) -> None:
        self._clock = clock
        self._read = read
        self._read_at = 0.0
        self._counters: list[tuple[float, float]] = []
        self._load: tuple[float | None, tuple[float, ...]] = (None, ())

    def read(self) -> tuple[float | None, tuple[float, ...]]:
        """The load since the last reading, total and by core; (None, ()) for the first, and when cores came or went."""
        now = self._clock.monotonic()
        if self._counters and now - self._read_at < SHORTEST_DIFFERENCE_S:
            return self._load
        before, self._counters = self._counters, [_busy_and_total(times) for times in self._read()]
        self._read_at = now
        self._load = self._difference(before, self._counters)
        return self._load

    @staticmethod
    def _difference(
        before: list[tuple[float, float]], after: list[tuple[float, float]]
    ) -> tuple[float | None, tuple[float, ...]]:
        if not before or len(before) != len(after):
            return None, ()
        pairs = [(b - a, t - s) for (a, s), (b, t) in zip(before, after, strict=True)]
        total = sum(passed for _, passed in pairs)
        if total <= 0:
            return None, ()
        return _load(sum(busy for busy, _ in pairs), total), tuple([_load(busy, passed) for busy, passed in pairs])


def _busy_and_total(times: Any) -> tuple[float, float]:
    """One core's seconds in use and in all; a guest's time is counted in its host's already."""
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return total - times.idle - getattr(times, "iowait", 0.0), total


def _load(busy: float, passed: float) -> float:
    """A core whose counters stood still slept; counters may run backwards by a step."""
    return min(100.0, max(0.0, 100.0 * busy / passed)) if passed > 0 else 0.0


def _guarded(read: Callable[[], T], outage: Outage) -> T | None:
    try:
        value = read()
    except Exception as error:  # psutil raises whatever a system's files make it raise
        outage.failed(f"{type(error).__name__}: {error}")
        return None
    outage.recovered()
    return value
