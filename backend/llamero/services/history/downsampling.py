"""Many samples become one row: means, and the highest value beside them where a peak must not vanish.

Pure: time comes with the samples. A bucket is a stretch of wall-clock time; a sample of any other stretch, earlier ones
included, closes it. A row lies at the mean of its samples' times, so two rows of one stretch (Llamero was started
again, or the clock was set back) are not at the same moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from llamero.models.metrics_history import PEAK, QUANTITIES


def has_peaks(name: str) -> bool:
    """Is the highest value kept beside the mean for this name?"""
    quantity = QUANTITIES.get(name.partition("/")[0])
    return quantity is not None and quantity.peaks


@dataclass(slots=True)
class Bucket:
    """The samples of one stretch of time so far."""

    number: int
    samples: int = 0
    time_sum: float = 0.0
    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    highest: dict[str, float] = field(default_factory=dict)

    def add(self, at: float, values: Mapping[str, float]) -> None:
        """Count one sample."""
        self.samples += 1
        self.time_sum += at
        sums, counts, highest = self.sums, self.counts, self.highest
        for name, value in values.items():
            if name in sums:
                sums[name] += value
                counts[name] += 1
                highest[name] = max(highest[name], value)
            else:
                sums[name], counts[name], highest[name] = value, 1, value

    def row(self) -> tuple[float, dict[str, float]]:
        """When it was on average, and its means and peaks. A value that some samples lack is the mean of the others."""
        values = {name: total / self.counts[name] for name, total in self.sums.items()}
        peaks = {name + PEAK: value for name, value in self.highest.items() if has_peaks(name)}
        return self.time_sum / self.samples, values | peaks


class Downsampler:
    """Makes rows of `resolution_s` seconds out of samples."""

    def __init__(self, resolution_s: float) -> None:
        self.resolution_s = resolution_s
        self._bucket: Bucket | None = None

    def add(self, at: float, values: Mapping[str, float]) -> tuple[float, dict[str, float]] | None:
        """Count a sample; returns the row that it closes, if it does."""
        number = int(at // self.resolution_s)
        closed = None
        if self._bucket is not None and self._bucket.number != number:
            closed = self.close()
        if self._bucket is None:
            self._bucket = Bucket(number)
        self._bucket.add(at, values)
        return closed

    def close(self) -> tuple[float, dict[str, float]] | None:
        """The row of what was counted so far, which is then forgotten."""
        bucket, self._bucket = self._bucket, None
        return None if bucket is None else bucket.row()
