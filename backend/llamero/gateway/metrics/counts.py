"""What is counted while requests pass: plain numbers, so that a request costs a few additions and a chunk nothing.

Every label has few values, whatever clients send: routes are templates, and models are those that are listed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence

SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0)
INFINITY = "+Inf"


class Histogram:
    """How many values lie below each bound, and their sum."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self.sum += value

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with the number of values up to it, as Prometheus wants them: cumulative, the last without end."""
        total, result = 0, []
        for bound, count in zip((*map(str, self._bounds), INFINITY), self._counts, strict=True):
            total += count
            result.append((bound, float(total)))
        return result


class Counts:
    """Everything counted since the start."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, str]] = Counter()
        """By route, dialect and status."""
        self.seconds: defaultdict[str, Histogram] = defaultdict(Histogram)
        """From the end of a request's head to the end of its answer, by route."""
        self.first_token: defaultdict[str, Histogram] = defaultdict(Histogram)
        """From the request to the first token of a stream, waiting and loading included, by model."""
        self.model_requests: Counter[tuple[str, str]] = Counter()
        """By model and outcome."""
        self.tokens: Counter[tuple[str, str]] = Counter()
        """By model and kind: prompt or generated."""
        self.engine_tokens: Counter[tuple[str, str]] = Counter()
        """Those that an engine has timed, by model and kind. A prompt's are those that had to be read."""
        self.engine_seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        """How long they took by the engine's own clock, by model and kind."""
        self.recoveries: Counter[tuple[str, str]] = Counter()
        """Answers that another server took over, by model and way: continued or replayed."""
        self.errors: Counter[str] = Counter()
        """Requests that were refused or failed before their answer began, by the error's code."""
