"""Commands of the hardware view."""

from __future__ import annotations

import msgspec

from llamero.models.metrics_history import HistoryRange


class WatchMetrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks (or no longer does): samples come every second as the event `metrics` meanwhile.

    `closely`: what the servers' slots do is on the screen, which engines have to be asked for.
    """

    watching: bool
    closely: bool = False


class GetMetricsHistory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hardware's past: all of a range, or what came `after` a time that the asker has; `cores`: with each core."""

    range: HistoryRange
    after: float | None = None
    cores: bool = False


class ExportMetrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a range, as comma-separated values."""

    range: HistoryRange
