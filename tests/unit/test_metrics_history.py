"""The hardware's past as it is kept and told, over a real database and a clock that a test moves."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace

from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.metrics_history import HistoryBatch, MetricsHistoryStore
from llamero.models.errors import IoFailed
from llamero.models.llama import ServerPhase
from llamero.models.metrics import GpuMetrics, HardwareMetrics, MetricsSnapshot, ServerActivity, ServerMetrics
from llamero.models.metrics_history import Generation, HistoryRange, MetricsHistory, MetricsSeries
from llamero.services.history.service import BATCH_S, HistoryService
from tests.fakes.clock import FakeClock

FIVE, HOUR, DAY = HistoryRange.FIVE_MINUTES, HistoryRange.HOUR, HistoryRange.DAY


class FakeGenerations:
    def __init__(self) -> None:
        self.ended: list[Generation] = []
        self.running: tuple[Generation, ...] = ()

    def generations(self) -> tuple[Generation, ...]:
        ended, self.ended = tuple(self.ended), []
        return ended

    def under_way(self) -> tuple[Generation, ...]:
        return self.running


class FailingStore:
    """A disk that is full until told otherwise."""

    def __init__(self, real: MetricsHistoryStore) -> None:
        self.real = real
        self.full = True

    async def add(self, batches: list[HistoryBatch], most_points: dict[int, int]) -> None:
        if self.full:
            raise IoFailed("storage_error-full", path="/x")
        await self.real.add(batches, most_points)

    async def read(self, resolution_s: int, since: float, until: float) -> tuple[HistoryBatch, ...]:
        return await self.real.read(resolution_s, since, until)


class Past:
    """A history that samples itself."""

    def __init__(self, database: Database, clock: FakeClock, store: object = None) -> None:
        self.clock = clock
        self.generations = FakeGenerations()
        self.service = HistoryService(store or MetricsHistoryStore(database), clock, self.generations)  # type: ignore[arg-type]
        self.template = MetricsSnapshot(hardware=HardwareMetrics(at=0, monotonic=0, cpu=10.0, ram_used=2**33))

    def sample(self, cpu: float | None = 10.0) -> None:
        hardware = replace(self.template.hardware, at=self.clock.wall, monotonic=self.clock.now, cpu=cpu)
        self.service.record(replace(self.template, hardware=hardware))

    def pass_time(self, seconds: float, step: float = 1.0, cpu: float | None = 10.0) -> None:
        for _ in range(round(seconds / step)):
            self.clock.advance(step)
            self.sample(cpu)


@asynccontextmanager
async def past(path: Path, clock: FakeClock | None = None) -> AsyncIterator[Past]:
    database = await Database.open(path)
    try:
        one = Past(database, clock or FakeClock())
        yield one
        await one.service.close()
    finally:
        await database.close()


def series(history: MetricsHistory, quantity: str, subject: str | None = None) -> MetricsSeries:
    (found,) = [one for one in history.series if (one.quantity, one.subject) == (quantity, subject)]
    return found


async def test_history_of_five_minutes_is_every_sample_of_them(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(1000)
        told = await one.service.history(FIVE)
        assert len(told.times) == 300
        assert told.times[-1] == one.clock.wall
        assert series(told, "cpu.load").values == (10.0,) * 300
        assert series(told, "cpu.load").peaks is None
        assert (told.start, told.end) == (one.clock.wall - 300, one.clock.wall)


async def test_history_of_an_hour_and_a_day_are_means_with_peaks(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.clock.wall -= one.clock.wall % 60
        for minute in range(120):
            one.pass_time(59, cpu=10.0)
            one.pass_time(1, cpu=70.0 if minute % 2 else 10.0)
        hour, day = await one.service.history(HOUR), await one.service.history(DAY)
        assert 355 <= len(hour.times) <= 361
        assert 118 <= len(day.times) <= 121
        assert set(series(day, "cpu.load").peaks or ()) == {10.0, 70.0}
        assert set(series(day, "cpu.load").values[1:]) == {10.0, 11.0}
        assert hour.resolution_s == 10.0
        assert list(day.times) == sorted(set(day.times))


async def test_history_after_a_restart_goes_on(tmp_path: Path) -> None:
    clock = FakeClock()
    async with past(tmp_path / "db", clock) as one:
        one.pass_time(1800, 30)
    clock.advance(3 * 3600)
    async with past(tmp_path / "db", clock) as one:
        one.pass_time(1800, 30)
        told = await one.service.history(DAY)
        load = series(told, "cpu.load").values
        assert load.count(None) == 1  # the time in which Llamero did not run is one gap
        assert 58 <= len(load) - 1 <= 64
        assert list(told.times) == sorted(set(told.times))


async def test_history_asked_for_what_came_after_tells_only_that(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(100)
        first = await one.service.history(FIVE)
        one.pass_time(3)
        more = await one.service.history(FIVE, after=first.times[-1])
        assert more.times == tuple(first.times[-1] + number for number in (1, 2, 3))
        assert (await one.service.history(FIVE, after=more.times[-1])).times == ()


async def test_history_after_suspend_has_a_gap_and_no_line_over_it(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(60)
        one.clock.wall += 100  # the monotonic clock stood still
        one.pass_time(60)
        told = await one.service.history(FIVE)
        load = series(told, "cpu.load").values
        assert load.count(None) == 1
        assert told.times[60] - told.times[59] > 40
        assert load[60] is None


async def test_history_with_the_clock_set_back_tells_no_time_twice(tmp_path: Path) -> None:
    clock = FakeClock()
    async with past(tmp_path / "db", clock) as one:
        one.pass_time(3000, 30, cpu=10.0)
        clock.wall -= 1500
        one.pass_time(600, 30, cpu=50.0)
        for wanted in (FIVE, HOUR, DAY):
            told = await one.service.history(wanted)
            assert list(told.times) == sorted(set(told.times)), wanted
            assert told.times[-1] <= told.end
            assert series(told, "cpu.load").values[-1] == 50.0
        lived_twice = [
            value
            for at, value in zip(told.times, series(told, "cpu.load").values, strict=True)
            if clock.wall - 540 < at and value is not None
        ]
        assert set(lived_twice) == {50.0}


async def test_history_with_the_clock_wrong_for_a_moment_loses_nothing(tmp_path: Path) -> None:
    clock = FakeClock()
    async with past(tmp_path / "db", clock) as one:
        for jump in (-40 * 365 * 86400.0, 365 * 86400.0):
            one.pass_time(3000, 30, cpu=10.0)
            clock.wall += jump
            one.pass_time(60, 30, cpu=99.0)
            clock.wall -= jump
            one.pass_time(300, 30, cpu=20.0)
        told = await one.service.history(DAY)
        values = [value for value in series(told, "cpu.load").values if value is not None]
        assert 99.0 not in values
        assert values.count(10.0) >= 98
        assert list(told.times) == sorted(set(told.times))


async def test_history_of_a_sensor_that_fails_has_a_gap_of_its_own(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(5)
        one.pass_time(3, cpu=None)
        one.pass_time(2)
        told = await one.service.history(FIVE)
        assert series(told, "cpu.load").values == (10.0,) * 5 + (None,) * 3 + (10.0,) * 2
        assert series(told, "ram.used").values == (2**33,) * 10


async def test_history_cores_are_told_when_asked_for_only(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        cores = tuple(float(number) for number in range(12))
        one.template = replace(one.template, hardware=replace(one.template.hardware, cpu_cores=cores))
        one.pass_time(3)
        assert "cpu.core" not in {each.quantity for each in (await one.service.history(FIVE)).series}
        told = await one.service.history(FIVE, cores=True)
        assert [each.subject for each in told.series if each.quantity == "cpu.core"] == [str(n) for n in range(12)]


async def test_history_bands_are_told_ended_and_under_way(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(30)
        begin = one.clock.wall
        one.generations.ended.append(Generation(alias="m", start=begin - 20, end=begin - 10))
        one.generations.running = (Generation(alias="m", start=begin - 3, end=begin),)
        one.pass_time(2 * BATCH_S)
        for wanted in (HOUR, DAY):
            told = await one.service.history(wanted)
            assert (told.generations[0].start, told.generations[-1].end) == (begin - 20, begin), wanted
        assert (await one.service.history(FIVE)).generations == ()


async def test_history_on_a_full_disk_is_written_once_there_is_room(tmp_path: Path) -> None:
    clock = FakeClock()
    database = await Database.open(tmp_path / "db")
    store = FailingStore(MetricsHistoryStore(database))
    one = Past(database, clock, store)
    one.pass_time(2000, 10)
    assert len((await one.service.history(HOUR)).times) >= 195  # told from memory
    store.full = False
    one.pass_time(400, 10)
    await one.service.close()
    told = await Past(database, clock).service.history(HOUR)
    assert len(told.times) >= 238
    await database.close()


async def test_history_forgets_rows_beyond_a_day(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        for _ in range(50):
            one.pass_time(3600, 30)
            await one.service.history(DAY)  # waits for what is being written
        assert len((await one.service.history(DAY)).times) in range(1430, 1442)
    database = await Database.open(tmp_path / "db")
    rows = await database.read(
        lambda c: c.execute("SELECT resolution_s, SUM(points) FROM metrics_history GROUP BY 1").fetchall()
    )
    await database.close()
    assert dict(rows)[60] <= 1440 + 5
    assert dict(rows)[10] <= 360 + 10


async def test_history_batch_that_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        one.pass_time(2 * BATCH_S + 60, 10)
        before = len((await one.service.history(HOUR)).times)
        database = one.service._store._database  # type: ignore[attr-defined]
        await database.write(lambda c: c.execute("UPDATE metrics_history SET batch = x'00' WHERE seq <= 2").rowcount)
        told = await one.service.history(HOUR)
        assert 0 < len(told.times) < before


async def test_history_export_is_a_table_with_empty_fields_for_gaps(tmp_path: Path) -> None:
    async with past(tmp_path / "db") as one:
        activity = ServerActivity(generation_speed=12.5)
        server = ServerMetrics(alias='=1+1,"x"', phase=ServerPhase.READY, leases=1, activity=activity)
        gpu = GpuMetrics(index=0, name="G", source="nvml", utilization=5.0)
        one.template = replace(
            one.template, servers=(server,), hardware=replace(one.template.hardware, gpus=(gpu,), cpu_cores=(1.0,))
        )
        one.pass_time(2)
        one.pass_time(1, cpu=None)
        told = await one.service.export(FIVE)
    head, *lines = list(csv.reader(told.content.splitlines()))
    assert told.file_name == "llamero-metrics-5m-2027-01-15.csv"
    assert head[:4] == ["time", "cpu.load (percent)", "cpu.core 0 (percent)", "ram.used (bytes)"]
    assert 'server.generation_speed =1+1,"x" (tokens_per_second)' in head
    assert len(lines) == 3
    assert [line[1] for line in lines] == ["10.0", "10.0", ""]
    assert lines[0][0] == "2027-01-15T08:00:01Z"
    assert {len(line) for line in lines} == {len(head)}
