"""What is told of the past: from tables of rows to the series that a view draws, or to comma-separated values. Pure."""

from __future__ import annotations

import csv
import io
import math
from array import array
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from llamero.models.metrics_history import (
    PEAK,
    QUANTITIES,
    Generation,
    HistoryRange,
    HistoryTable,
    MetricsExport,
    MetricsHistory,
    MetricsSeries,
)
from llamero.services.history.tables import chosen, joined, lived, merged, with_gaps

CORES = "cpu.core"
_ORDER = {name: place for place, name in enumerate(QUANTITIES)}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A question, with all that is known of its time in the order in which it was lived.

    `after`: only what came after this time, which the asker has already. Rows further apart than `longest_gap_s` are
    not joined.
    """

    range: HistoryRange
    resolution_s: float
    start: float
    end: float
    after: float | None
    longest_gap_s: float
    tables: tuple[HistoryTable, ...]
    generations: tuple[Generation, ...]


def history(asked: Asked, *, cores: bool) -> MetricsHistory:
    """The series of a range."""
    table = with_gaps(_rows(asked), asked.longest_gap_s, asked.after)
    since = max(asked.start, asked.after or asked.start)
    names = [name for name in table.columns if cores or name.partition("/")[0] != CORES]
    return MetricsHistory(
        range=asked.range,
        resolution_s=asked.resolution_s,
        start=asked.start,
        end=asked.end,
        times=tuple([round(time, 2) for time in table.times]),
        series=tuple([_series(name, table) for name in _ordered(names)]),
        generations=tuple([one for one in merged(asked.generations, asked.resolution_s) if one.end > since]),
    )


def export(asked: Asked) -> MetricsExport:
    """A line for every row, a column for every value; times in UTC, an empty field where a value is not known."""
    table = _rows(asked)
    names = _ordered(table.columns)
    columns = [_told(table.columns[name], _digits(name)) for name in names]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["time", *(_heading(name) for name in names)])
    for place, time in enumerate(table.times):
        at = datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        writer.writerow([at, *("" if (value := column[place]) is None else value for column in columns)])
    day = datetime.fromtimestamp(asked.end, UTC).strftime("%Y-%m-%d")
    return MetricsExport(file_name=f"llamero-metrics-{asked.range}-{day}.csv", content=text.getvalue())


def _rows(asked: Asked) -> HistoryTable:
    whole = joined(asked.tables)
    since = max(asked.start, asked.after or asked.start)
    return chosen(whole, lived(whole.times, since, asked.end))


def _ordered(names: Iterable[str]) -> list[str]:
    """By quantity, and within one by subject, numbers as numbers; a column of peaks stands with its means."""

    def place(name: str) -> tuple[int, int, str]:
        quantity, _, subject = name.partition("/")
        number = int(subject) if subject.isdecimal() else -1
        return _ORDER.get(quantity, len(_ORDER)), number, subject

    return sorted([name for name in names if not name.endswith(PEAK)], key=place)


def _series(name: str, table: HistoryTable) -> MetricsSeries:
    quantity, _, subject = name.partition("/")
    peaks = table.columns.get(name + PEAK)
    digits = _digits(name)
    return MetricsSeries(
        quantity=quantity,
        unit=_unit(name),
        subject=subject or None,
        values=_told(table.columns[name], digits),
        peaks=None if peaks is None else _told(peaks, digits),
    )


def _told(column: array[float], digits: int) -> tuple[float | None, ...]:
    """32 bits have more digits than a sensor: what is told is what is worth telling."""
    if digits == 0:
        return tuple([None if math.isnan(value) else round(value) for value in column])
    return tuple([None if math.isnan(value) else round(value, digits) for value in column])


def _digits(name: str) -> int:
    quantity = QUANTITIES.get(name.partition("/")[0])
    return 1 if quantity is None else quantity.digits


def _unit(name: str) -> str:
    quantity = QUANTITIES.get(name.partition("/")[0])
    return "count" if quantity is None else quantity.unit


def _heading(name: str) -> str:
    quantity, _, subject = name.partition("/")
    return f"{quantity} {subject} ({_unit(name)})" if subject else f"{quantity} ({_unit(name)})"
