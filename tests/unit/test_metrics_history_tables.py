"""The pure half of the hardware's past: rows in columns, buckets, gaps, bands, and clocks that were set back."""

from __future__ import annotations

import math
from array import array
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.models.llama import ServerPhase
from llamero.models.metrics import GpuMetrics, HardwareMetrics, MetricsSnapshot, ProcessMetrics, ServerMetrics
from llamero.models.metrics_history import PEAK, Generation, HistoryTable
from llamero.services.history.downsampling import Downsampler
from llamero.services.history.tables import append, chosen, drop_first, empty, joined, lived, merged, with_gaps
from llamero.services.history.values import values_of

NAMES = ("cpu.load", "ram.used", "gpu.temperature/0", "server.cpu/a model/with slash")
VALUES = st.dictionaries(st.sampled_from(NAMES), st.floats(0, 1000, width=32), max_size=len(NAMES))
ROWS = st.lists(st.tuples(st.floats(0, 100_000), VALUES), max_size=40)


def table_of(*rows: tuple[float, dict[str, float]]) -> HistoryTable:
    table = empty()
    for at, values in rows:
        append(table, at, values)
    return table


def rows_of(table: HistoryTable) -> list[tuple[float, dict[str, float]]]:
    """The rows again, without what they lack."""
    return [
        (at, {name: column[place] for name, column in table.columns.items() if not math.isnan(column[place])})
        for place, at in enumerate(table.times)
    ]


def band(alias: str, start: float, end: float) -> Generation:
    return Generation(alias=alias, start=start, end=end)


# Samples


def test_history_values_of_a_sample_leave_out_what_is_missing() -> None:
    gpus = (
        GpuMetrics(index=0, name="A", source="nvml", utilization=0.0, memory_used=5),
        GpuMetrics(index=0, name="B", source="amd-sysfs", power_w=12.0),
    )
    server = ServerMetrics(alias="m/x", phase=ServerPhase.READY, leases=2, process=ProcessMetrics(pid=1, rss=7))
    hardware = HardwareMetrics(at=1.0, monotonic=1.0, cpu_cores=(1.0, 2.0), ram_used=9, gpus=gpus)
    values = values_of(MetricsSnapshot(hardware=hardware, servers=(server,), running=2))
    assert values == {
        "requests.running": 2.0,
        "requests.waiting": 0.0,
        "ram.used": 9.0,
        "cpu.core/0": 1.0,
        "cpu.core/1": 2.0,
        "gpu.load/0": 0.0,
        "gpu.memory/0": 5.0,
        "gpu.power/1": 12.0,
        "server.memory/m/x": 7.0,
        "server.requests/m/x": 2.0,
        "server.waiting/m/x": 0.0,
        "server.generation_speed/m/x": 0.0,
    }


# Tables


@given(ROWS)
def test_history_table_gives_back_every_row(rows: list[tuple[float, dict[str, float]]]) -> None:
    assert rows_of(table_of(*rows)) == rows


@given(st.lists(ROWS, max_size=5))
def test_history_tables_joined_are_their_rows_in_order(several: list[list[tuple[float, dict[str, float]]]]) -> None:
    whole = joined([table_of(*rows) for rows in several])
    assert rows_of(whole) == [row for rows in several for row in rows]
    assert {len(column) for column in whole.columns.values()} <= {len(whole.times)}


@given(ROWS, st.integers(0, 50))
def test_history_table_that_drops_rows_keeps_the_others(rows: list[tuple[float, dict[str, float]]], gone: int) -> None:
    table = table_of(*rows)
    drop_first(table, gone)
    assert rows_of(table) == rows[gone:]
    assert all(not all(map(math.isnan, column)) for column in table.columns.values())


# Time


@pytest.mark.parametrize(
    ("times", "after", "until", "kept"),
    [
        ([], 0, 10, []),
        ([1, 2, 3], 0, 10, [0, 1, 2]),
        ([1, 2, 3], 1, 3, [1, 2]),
        ([1, 2, 3, 2, 3, 4], 0, 10, [0, 3, 4, 5]),
        ([1, 2, 3, 1.5, 2.5], 0, 2.5, [0, 3, 4]),
        ([8, 9, 1, 2, 10], 5, 10, [0, 1, 4]),
        ([8, 9, 100, 101, 10], 5, 10, [0, 1, 4]),
        ([5, 5, 5], 0, 10, [2]),
    ],
    ids=["none", "all", "range", "set-back", "still-ahead", "past-for-a-moment", "future-for-a-moment", "stands-still"],
)
def test_history_rows_lived_only_grow_in_time(times: list[float], after: float, until: float, kept: list[int]) -> None:
    assert lived(times, after, until) == kept


@given(st.lists(st.integers(0, 50).map(float), max_size=60))
def test_history_rows_lived_are_increasing_and_end_with_the_last(times: list[float]) -> None:
    kept = [times[place] for place in lived(times, -1.0, 100.0)]
    assert kept == sorted(set(kept))
    assert not times or kept[-1] == times[-1]


def test_history_gap_longer_than_allowed_is_a_row_without_values() -> None:
    table = table_of((0, {"cpu.load": 1.0}), (10, {"cpu.load": 2.0}), (200, {"cpu.load": 3.0}))
    longer = with_gaps(table, 75)
    assert rows_of(longer) == [(0, {"cpu.load": 1.0}), (10, {"cpu.load": 2.0}), (105, {}), (200, {"cpu.load": 3.0})]
    assert len(table.times) == 3
    assert with_gaps(table, 1000) is table


def test_history_gap_before_the_first_new_row_is_told() -> None:
    table = table_of((200, {"cpu.load": 3.0}))
    assert rows_of(with_gaps(table, 75, before=100)) == [(150, {}), (200, {"cpu.load": 3.0})]
    assert with_gaps(empty(), 75, before=0).times == array("d")


@given(ROWS)
def test_history_table_chosen_by_places_has_those_rows(rows: list[tuple[float, dict[str, float]]]) -> None:
    table = table_of(*rows)
    places = list(range(0, len(rows), 2))
    assert rows_of(chosen(table, places)) == rows[::2]


# Bands


def test_history_bands_of_one_model_that_touch_become_one() -> None:
    bands = [band("a", 0, 5), band("b", 1, 2), band("a", 5.5, 6), band("a", 3, 4), band("a", 9, 10)]
    assert merged(bands, 1) == (band("a", 0, 6), band("b", 1, 2), band("a", 9, 10))


@given(st.lists(st.tuples(st.sampled_from("ab"), st.floats(0, 100), st.floats(0, 20)), max_size=40), st.floats(0, 5))
def test_history_bands_merged_are_apart_and_cover_the_same(
    spans: list[tuple[str, float, float]], within: float
) -> None:
    bands = [band(alias, start, start + length) for alias, start, length in spans]
    joined_bands = merged(bands, within)
    for alias in "ab":
        mine = [one for one in joined_bands if one.alias == alias]
        assert all(later.start - former.end > within for former, later in pairwise(mine))
        for one in bands:
            if one.alias == alias:
                assert any(whole.start <= one.start and one.end <= whole.end for whole in mine)


# Downsampling


def test_history_bucket_is_a_mean_with_its_peak_at_the_mean_time() -> None:
    sampler = Downsampler(10)
    assert sampler.add(100, {"cpu.load": 10.0, "ram.used": 4.0}) is None
    assert sampler.add(104, {"cpu.load": 90.0}) is None
    assert sampler.add(109, {"cpu.load": 20.0, "ram.used": 8.0}) is None
    closed = sampler.add(110, {"cpu.load": 1.0})
    assert closed is not None
    at, values = closed
    assert at == pytest.approx(313 / 3)
    assert values == {"cpu.load": 40.0, "cpu.load" + PEAK: 90.0, "ram.used": 6.0}
    assert sampler.close() == (110.0, {"cpu.load": 1.0, "cpu.load" + PEAK: 1.0})
    assert sampler.close() is None


def test_history_bucket_is_closed_by_a_clock_set_back() -> None:
    sampler = Downsampler(10)
    sampler.add(105, {"cpu.load": 1.0})
    closed = sampler.add(95, {"cpu.load": 2.0})
    assert closed == (105.0, {"cpu.load": 1.0, "cpu.load" + PEAK: 1.0})


SAMPLES = st.lists(st.tuples(st.floats(0, 1000), st.floats(0, 100)), min_size=1, max_size=100)


@given(SAMPLES, st.sampled_from([1, 10, 60]))
def test_history_downsampled_means_keep_the_whole_and_the_peaks(
    samples: list[tuple[float, float]], resolution: int
) -> None:
    samples = sorted(samples)
    sampler = Downsampler(resolution)
    rows = [row for at, value in samples if (row := sampler.add(at, {"cpu.load": value})) is not None]
    last = sampler.close()
    assert last is not None
    rows.append(last)
    numbers = [int(at // resolution) for at, _ in samples]
    assert len(rows) == len(set(numbers))
    sizes = [numbers.count(number) for number in sorted(set(numbers))]
    total = sum(values["cpu.load"] * size for (_, values), size in zip(rows, sizes, strict=True))
    assert total == pytest.approx(sum(value for _, value in samples), abs=1e-6)
    assert max(values["cpu.load" + PEAK] for _, values in rows) == max(value for _, value in samples)
    assert [at for at, _ in rows] == sorted(at for at, _ in rows)
