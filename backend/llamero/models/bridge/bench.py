"""Commands of the view Bench."""

from __future__ import annotations

import msgspec

from llamero.models.bench import BenchFrame, BenchRun
from llamero.models.bridge.fields import Identifier


class StartBench(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measure a model; how it goes is told to every window as the event `bench`."""

    model: Identifier
    quick: bool = False


class BenchRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of a bench, and with which other it is to be compared; None: with the one that suits best."""

    id: int
    against: int | None = None


class BenchRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured now, and what was measured, the newest first."""

    now: BenchFrame | None
    runs: tuple[BenchRun, ...]
