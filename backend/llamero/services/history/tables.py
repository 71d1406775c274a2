"""Rows in columns, and the pure functions over them: put together, in the order of time, with gaps, merged bands.

Invariant of every function: columns stay equally long, a value that a row lacks is NaN, nothing is interpolated.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping, Sequence

from llamero.models.metrics_history import Generation, HistoryTable

NAN = float("nan")


def empty() -> HistoryTable:
    """A table without rows."""
    return HistoryTable(array("d"), {})


def append(table: HistoryTable, at: float, values: Mapping[str, float]) -> None:
    """Add a row. A value that is new begins a column; one that is missing is a gap in its own."""
    before = len(table.times)
    table.times.append(at)
    for name, column in table.columns.items():
        column.append(values.get(name, NAN))
    for name, value in values.items():
        if name not in table.columns:
            column = table.columns[name] = _gap(before)
            column.append(value)


def drop_first(table: HistoryTable, rows: int) -> None:
    """Forget the oldest rows, and the columns that then say nothing."""
    del table.times[:rows]
    for name, column in list(table.columns.items()):
        del column[:rows]
        if all(map(math.isnan, column)):
            del table.columns[name]


def joined(tables: Iterable[HistoryTable]) -> HistoryTable:
    """Put tables one behind the other."""
    whole = empty()
    for table in tables:
        before = len(whole.times)
        whole.times.extend(table.times)
        for name, values in table.columns.items():
            column = whole.columns.get(name)
            if column is None:
                column = whole.columns[name] = array("f")
            column.extend(_gap(before - len(column)))
            column.extend(values)
    for column in whole.columns.values():
        column.extend(_gap(len(whole.times) - len(column)))
    return whole


def lived(times: Sequence[float], after: float, until: float) -> list[int]:
    """The rows of that time, as places in their order, such that times only grow.

    Rows are given in the order in which they were lived. Where the clock was set back, the time that was lived a second
    time is told as it was the second time; where it was set back for a moment only, what lies before is told all the
    same.
    """
    kept: list[int] = []
    bound = math.nextafter(until, math.inf)
    for place in range(len(times) - 1, -1, -1):
        if after < times[place] < bound:
            kept.append(place)
            bound = times[place]
    kept.reverse()
    return kept


def chosen(table: HistoryTable, places: Sequence[int]) -> HistoryTable:
    """The rows at these places."""
    if len(places) == len(table.times):
        return table
    return HistoryTable(
        array("d", [table.times[place] for place in places]),
        {name: array("f", [column[place] for place in places]) for name, column in table.columns.items()},
    )


def with_gaps(table: HistoryTable, longest_s: float, before: float | None = None) -> HistoryTable:
    """Add a row without values wherever two rows are further apart than `longest_s`, so that no line joins them.

    `before` is when the row was that stands before the first one, elsewhere.
    """
    times = table.times
    if not times:
        return table
    former = [times[0] if before is None else before, *times[:-1]]
    starts = [place for place, time in enumerate(times) if time - former[place] > longest_s]
    if not starts:
        return table
    longer = HistoryTable(times[:], {name: column[:] for name, column in table.columns.items()})
    for place in reversed(starts):
        longer.times.insert(place, (former[place] + times[place]) / 2)
        for column in longer.columns.values():
            column.insert(place, NAN)
    return longer


def merged(generations: Iterable[Generation], within_s: float) -> tuple[Generation, ...]:
    """Join the requests to one model that overlap, or follow each other within that time; ordered by their start."""
    bands: list[Generation] = []
    last: dict[str, int] = {}
    for one in sorted(generations, key=lambda generation: (generation.start, generation.end)):
        place = last.get(one.alias)
        if place is not None and one.start - bands[place].end <= within_s:
            former = bands[place]
            bands[place] = Generation(alias=one.alias, start=former.start, end=max(former.end, one.end))
        else:
            last[one.alias] = len(bands)
            bands.append(one)
    return tuple(bands)


def _gap(length: int) -> array[float]:
    return array("f", [NAN]) * length
