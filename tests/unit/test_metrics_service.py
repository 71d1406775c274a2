"""When the hardware is measured and who is told, with a clock that is moved by hand."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.gpu import GpuReaderMissing
from llamero.infrastructure.gpu_probe import GpuProbe
from llamero.infrastructure.metrics import HardwareSampler
from llamero.models.llama import ActorSnapshot, ModelId, ServerPhase, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot, ProcessMetrics
from llamero.models.settings import MetricsSettings
from llamero.services.metrics import MetricsService
from llamero.services.metrics_watcher import Watcher
from tests.fakes.clock import FakeClock
from tests.unit.test_metrics_sampler import FakeReader


class FakeSampler:
    """Counts its samples; may be told to fail, or to block until let go."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.taken: list[float] = []
        self.threads: set[str] = set()
        self.error: Exception | None = None
        self.go = threading.Event()
        self.go.set()
        self.begun = threading.Event()
        self.trees: dict[int, ProcessMetrics] = {}
        self.closed = 0

    def sample(self) -> HardwareMetrics:
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        self.taken.append(self.clock.now)
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return HardwareMetrics(at=self.clock.wall, monotonic=self.clock.now, cpu=float(len(self.taken)))

    def processes(self, pids: Iterable[int]) -> dict[int, ProcessMetrics]:
        if self.error is not None:
            raise self.error
        return {pid: self.trees[pid] for pid in pids if pid in self.trees}

    def close(self) -> None:
        self.closed += 1


class House:
    """A running service with its clock and sampler."""

    def __init__(self, settings: MetricsSettings | None = None) -> None:
        self.clock = FakeClock()
        self.sampler = FakeSampler(self.clock)
        self.generating = False
        self.service = MetricsService(self.sampler, settings=settings, clock=self.clock, state=self.state)

    def state(self) -> ActorSnapshot:
        """One server, with a request while something is generated."""
        if not self.generating:
            return ActorSnapshot()
        model = ModelId(alias="m", path="/m.gguf")
        return ActorSnapshot(servers=(ServerSnapshot(model=model, phase=ServerPhase.READY, generation=1, leases=1),))

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, wait by wait, until the service waits beyond it."""
        end = self.clock.now + seconds
        while (step := await self.clock.remaining()) <= end - self.clock.now + 1e-9:
            self.clock.advance(step)
        self.clock.advance(end - self.clock.now)

    async def samples_in(self, seconds: float) -> int:
        await self.clock.remaining()
        before = len(self.sampler.taken)
        await self.pass_time(seconds)
        return len(self.sampler.taken) - before


@asynccontextmanager
async def running(settings: MetricsSettings | None = None) -> AsyncIterator[House]:
    house = House(settings)
    await house.service.start()
    try:
        yield house
    finally:
        house.sampler.go.set()
        await house.service.stop()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110  # what is waited for happens in another thread
            await asyncio.sleep(0.001)


async def test_metrics_cadence_with_nobody_looking_is_every_thirty_seconds() -> None:
    async with running() as house:
        assert await house.clock.remaining() == pytest.approx(30)
        assert len(house.sampler.taken) == 1
        assert await house.samples_in(300) == 10


async def test_metrics_cadence_with_a_watcher_is_every_second_at_once() -> None:
    async with running() as house:
        await house.pass_time(10)
        with house.service.watch() as samples:
            # The last sample is ten seconds old: the next one is taken without any time passing.
            assert (await anext(samples)).cpu == 2.0
            assert house.sampler.taken[-1] == house.clock.now
            assert await house.clock.remaining() == pytest.approx(1)
            assert await house.samples_in(60) == 60
        assert await house.samples_in(60) == 2


async def test_metrics_cadence_while_generating_is_every_second_at_once() -> None:
    async with running() as house:
        await house.pass_time(10)
        house.generating = True
        house.service.notify()
        await until(lambda: len(house.sampler.taken) == 2)
        assert await house.samples_in(20) == 20
        house.generating = False
        assert await house.samples_in(90) == 3


async def test_metrics_cadence_notified_without_reason_takes_no_sample() -> None:
    async with running() as house:
        await house.pass_time(10)
        for _ in range(5):
            house.service.notify()
            await house.clock.remaining()
        assert len(house.sampler.taken) == 1
        assert await house.samples_in(20) == 1


async def test_metrics_cadence_follows_the_settings() -> None:
    async with running(MetricsSettings(idle_interval_s=5, active_interval_s=0.5)) as house:
        assert await house.samples_in(20) == 4
        with house.service.watch():
            await house.clock.remaining()
            assert await house.samples_in(10) == 20


@pytest.mark.parametrize("interval", [0.0, -5.0])
async def test_metrics_cadence_with_interval_of_nothing_is_no_busy_loop(interval: float) -> None:
    async with running(MetricsSettings(idle_interval_s=interval, active_interval_s=interval)) as house:
        assert await house.samples_in(10) == 40


async def test_metrics_of_engines_are_kept_with_the_sample_that_measured_them() -> None:
    clock = FakeClock()
    sampler = FakeSampler(clock)
    model = ModelId(alias="m", path="/m.gguf")
    servers = tuple([ServerSnapshot(model=model, phase=ServerPhase.READY, generation=1, pid=pid) for pid in (7, 8)])
    recorded: list[MetricsSnapshot] = []
    service = MetricsService(
        sampler, clock=clock, state=lambda: ActorSnapshot(servers=servers, waiting=3), record=recorded.append
    )
    assert service.latest_readings.processes == {}
    sampler.trees = {7: ProcessMetrics(pid=7, rss=1)}
    await service.snapshot()
    assert service.latest_readings.processes == {7: ProcessMetrics(pid=7, rss=1)}
    assert [server.process for server in recorded[0].servers] == [ProcessMetrics(pid=7, rss=1), None]
    assert recorded[0].waiting == 3
    sampler.error = OSError("gone")
    clock.advance(60)
    await service.snapshot()
    assert service.latest_readings.processes == {}
    assert recorded[1].hardware.cpu is None
    await service.stop()


async def test_metrics_cadence_with_state_that_raises_goes_on_idle() -> None:
    clock = FakeClock()

    def state() -> ActorSnapshot:
        raise RuntimeError("no actor yet")

    service = MetricsService(FakeSampler(clock), clock=clock, state=state)
    await service.start()
    assert await clock.remaining() == pytest.approx(30)
    await service.stop()


async def test_metrics_watcher_that_is_slow_gets_the_latest_and_delays_nobody() -> None:
    async with running() as house:
        with house.service.watch() as slow, house.service.watch() as quick:
            seen = []
            for _ in range(20):
                seen.append((await anext(quick)).cpu)
                await house.clock.remaining()
                house.clock.advance(1)
            assert seen == [float(number) for number in range(1, 21)]
            last = await anext(quick)
            assert await anext(slow) == last
            following = asyncio.ensure_future(anext(slow))
            await house.clock.remaining()
            assert not following.done()
            house.clock.advance(1)
            assert (await following).cpu == 22.0


async def test_metrics_watcher_begins_with_a_sample_that_is_fresh() -> None:
    async with running() as house:
        await house.clock.remaining()
        with house.service.watch() as samples:
            assert (await anext(samples)).cpu == 1.0
        assert len(house.sampler.taken) == 1


async def test_metrics_watcher_ends_when_the_service_stops() -> None:
    async with running() as house:

        async def look() -> int:
            with house.service.watch() as samples:
                return len([sample async for sample in samples])

        looking = asyncio.ensure_future(look())
        await until(lambda: bool(house.sampler.taken))
        await house.clock.remaining()
        await house.service.stop()
        assert await asyncio.wait_for(looking, 10) == 1
        with house.service.watch() as late:
            assert [sample async for sample in late] == []


async def test_metrics_snapshot_older_than_a_second_is_taken_anew() -> None:
    async with running() as house:
        await house.clock.remaining()
        first = await house.service.snapshot()
        house.clock.advance(0.9)
        assert await house.service.snapshot() == first
        house.clock.advance(0.2)
        assert (await house.service.snapshot()).cpu == 2.0


async def test_metrics_snapshot_asked_by_many_at_once_takes_one_sample() -> None:
    house = House()
    snapshots = await asyncio.gather(*[house.service.snapshot() for _ in range(50)])
    assert len(house.sampler.taken) == 1
    assert len(set(map(id, snapshots))) == 1
    await house.service.stop()


async def test_metrics_snapshot_given_up_does_not_end_it_for_others() -> None:
    house = House()
    house.sampler.go.clear()
    patient, hasty = [asyncio.ensure_future(house.service.snapshot()) for _ in range(2)]
    await until(house.sampler.begun.is_set)
    hasty.cancel()
    await asyncio.gather(hasty, return_exceptions=True)
    house.sampler.go.set()
    assert (await patient).cpu == 1.0
    await house.service.stop()


async def test_metrics_snapshot_after_suspend_is_taken_anew() -> None:
    async with running() as house:
        await house.clock.remaining()
        await house.service.snapshot()
        house.clock.wall += 8 * 3600  # the monotonic clock stood still
        assert (await house.service.snapshot()).cpu == 2.0


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
async def test_metrics_cadence_with_wall_clock_changed_stays(jump: float) -> None:
    async with running() as house:
        await house.pass_time(45)
        house.clock.wall += jump
        assert await house.samples_in(300) in (10, 11)
        times = [sample.monotonic for sample in house.service.history]
        assert times == sorted(times)


async def test_metrics_sampling_never_runs_in_the_event_loop() -> None:
    async with running() as house:
        house.sampler.go.clear()
        await until(lambda: bool(house.sampler.taken))
        house.clock.advance(30)
        asking = asyncio.ensure_future(house.service.snapshot())
        turns = 0
        for _ in range(1000):
            await asyncio.sleep(0)
            turns += 1
        assert turns == 1000
        house.sampler.go.set()
        await asyncio.wait_for(asking, 10)
        assert house.sampler.threads == {"metrics_0"}


async def test_metrics_failure_and_recovery_are_one_log_line_each(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with running() as house:
        with house.service.watch() as samples:
            assert (await anext(samples)).cpu == 1.0
            house.sampler.error = OSError("too many open files")
            await house.pass_time(10)
            blank = await anext(samples)
            assert blank.cpu is None
            assert blank.gpu_note == "The hardware cannot be measured."
            assert await house.service.process_metrics([1]) == {}
            house.sampler.error = None
            await house.pass_time(10)
            assert (await anext(samples)).cpu is not None
    ours = [record for record in caplog.records if record.name == "llamero.services.metrics"]
    assert [(record.levelname, record.getMessage()) for record in ours] == [
        ("WARNING", "hardware readings: OSError: too many open files"),
        ("INFO", "hardware readings: working again"),
    ]


async def test_metrics_history_holds_five_minutes() -> None:
    async with running() as house:
        await house.clock.remaining()
        with house.service.watch():
            await house.pass_time(1000)
            history = house.service.history
        assert 300 <= len(history) <= 301
        assert house.clock.now - history[0].monotonic <= 300
        house.clock.now += 10_000
        assert house.service.history == ()
        assert house.service.latest == history[-1]


async def test_metrics_for_servers_adds_those_with_a_process() -> None:
    async with running() as house:
        tree = ProcessMetrics(pid=7, cpu=50.0, rss=10)
        house.sampler.trees[7] = tree

        def server(alias: str, phase: ServerPhase, pid: int | None = None) -> ServerSnapshot:
            return ServerSnapshot(
                model=ModelId(alias=alias, path=f"/{alias}.gguf"),
                phase=phase,
                generation=1,
                leases=2,
                since=house.clock.now - 90,
                pid=pid,
            )

        snapshot = await house.service.metrics_for(
            [
                server("ready", ServerPhase.READY, 7),
                server("starting", ServerPhase.STARTING, 8),
                server("unborn", ServerPhase.STARTING),
                server("stopped", ServerPhase.STOPPED),
                server("failed", ServerPhase.FAILED, 9),
            ],
            now=house.clock.now,
        )
        assert [metrics.alias for metrics in snapshot.servers] == ["ready", "starting", "unborn"]
        ready, starting, unborn = snapshot.servers
        assert (ready.pid, ready.uptime_s, ready.leases, ready.process) == (7, 90.0, 2, tree)
        assert (starting.pid, starting.uptime_s, starting.process) == (8, None, None)
        assert (unborn.pid, unborn.process) == (None, None)
        assert snapshot.hardware.cpu == 1.0


async def test_metrics_stop_waits_for_the_sample_under_way() -> None:
    house = House()
    house.sampler.go.clear()
    await house.service.start()
    await until(house.sampler.begun.is_set)
    stopping = [asyncio.ensure_future(house.service.stop()) for _ in range(3)]
    asking = asyncio.ensure_future(house.service.snapshot())
    await asyncio.sleep(0)
    assert not any(task.done() for task in stopping)
    house.sampler.go.set()
    await asyncio.gather(*stopping, asking)
    assert house.sampler.closed == 1
    assert not any(thread.name.startswith("metrics") for thread in threading.enumerate())


async def test_metrics_stopped_service_answers_with_its_last_sample_and_starts_no_thread() -> None:
    house = House()
    await house.service.stop()
    assert (await house.service.snapshot()).cpu is None
    await house.service.start()
    await house.clock.remaining()
    await house.service.stop()
    house.clock.advance(100)
    assert (await house.service.snapshot()).cpu == 1.0
    assert await house.service.process_metrics([1]) == {}
    assert not any(thread.name.startswith("metrics") for thread in threading.enumerate())


async def test_metrics_service_started_and_stopped_often_leaves_nothing(tmp_path: Path) -> None:
    missing = GpuReaderMissing("not installed")

    def probe(clock: FakeClock) -> GpuProbe:
        # NVML is asked for real, in threads, whatever this machine has.
        return GpuProbe(clock, nvidia_smi=FakeReader(missing))

    async def look(watcher: Watcher) -> None:
        with watcher as samples:
            async for _ in samples:
                pass

    def held() -> tuple[int, int, int]:
        return threading.active_count(), len(asyncio.all_tasks()), len(list(Path("/proc/self/fd").iterdir()))

    clock = FakeClock()
    service = MetricsService(HardwareSampler(clock, gpus=probe(clock)), clock=clock)

    async def one_round(number: int) -> None:
        await service.start()
        await service.start()
        looking = asyncio.ensure_future(look(service.watch()))
        if number % 3:
            await service.snapshot()
        if number % 3 == 2:
            clock.advance(5)
            await service.process_metrics([1])
        await service.stop()
        await asyncio.wait_for(looking, 10)

    await one_round(1)
    before = held()
    for number in range(200):
        await one_round(number)
    assert held() == before
