"""When the hardware is measured, and who is told.

Invariants: one sample at a time, taken in a worker thread, so neither the event loop nor a second asker waits for a
sensor twice; every `active_interval_s` while somebody watches or a generation runs, every `idle_interval_s` otherwise,
and the change to active takes effect at once; a watcher holds the latest sample only, so a slow one delays nobody;
intervals are monotonic time, and a wall clock that jumps (a suspended machine, a changed clock) only makes the last
sample too old. A failure costs one log line, and one when it is over; it never stops the cadence.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from msgspec.structs import replace

from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.outage import Outage
from llamero.models.llama import ActorSnapshot, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot, ProcessMetrics, ServerActivity, SlotUse
from llamero.models.settings import MetricsSettings
from llamero.services.metrics_watcher import Watcher
from llamero.services.server_metrics import Readings, process_ids, servers_with_process, whole_snapshot

T = TypeVar("T")

# A setting of 0 must not become a busy loop; it also bounds how many samples the history can hold.
SHORTEST_INTERVAL_S = 0.25
HISTORY_S = 300.0
UNMEASURED = "The hardware cannot be measured."

logger = logging.getLogger(__name__)


class Sampler(Protocol):
    """Reads the hardware; every method may block and is called from one worker thread, one call at a time."""

    def sample(self) -> HardwareMetrics:
        """Read everything once."""
        ...

    def processes(self, pids: Iterable[int]) -> dict[int, ProcessMetrics]:
        """Measure the tree below each process id."""
        ...

    def close(self) -> None:
        """Give back what is held; a later sample begins anew."""
        ...


class Activity(Protocol):
    """What the models do, as their own answers tell: `services.llama.activity.Activity`."""

    def read(self, aliases: Iterable[str]) -> dict[str, ServerActivity]:
        """What these models did since the last call."""
        ...


class Slots(Protocol):
    """What the servers' slots do: `services.llama.slots.SlotReader`."""

    def look(self, servers: Iterable[ServerSnapshot]) -> dict[str, SlotUse]:
        """What is known of these, by alias. Waits for nobody."""
        ...


class MetricsService:
    """Measures at the right times. Every method belongs to one event loop; may be started again after `stop`.

    `state` says which servers there are; a generation runs while any of them has a lease. It is asked whenever the
    cadence is decided, and `notify` makes that now. `record` is told every sample, servers included.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        settings: MetricsSettings | None = None,
        clock: Clock | None = None,
        state: Callable[[], ActorSnapshot] = ActorSnapshot,
        activity: Activity | None = None,
        slots: Slots | None = None,
        record: Callable[[MetricsSnapshot], None] = lambda snapshot: None,
    ) -> None:
        settings = settings if settings is not None else MetricsSettings()
        self._sampler = sampler
        self._clock = clock if clock is not None else SystemClock()
        self._state = state
        self._activity = activity
        self._slots = slots
        self._record = record
        self._active_s = max(SHORTEST_INTERVAL_S, settings.active_interval_s)
        self._idle_s = max(self._active_s, settings.idle_interval_s)
        self._watchers: set[Watcher] = set()
        self._wake = asyncio.Event()
        self._waits_actively = False
        self._loop_task: asyncio.Task[None] | None = None
        self._sampling: asyncio.Task[HardwareMetrics] | None = None
        self._executor: ThreadPoolExecutor | None = None
        self._history: deque[HardwareMetrics] = deque(maxlen=int(HISTORY_S / SHORTEST_INTERVAL_S))
        self._outage = Outage(logger, "hardware readings")
        self._latest: HardwareMetrics | None = None
        self._readings = Readings()
        self._taken_at: float | None = None
        self._taken_wall = 0.0
        self._stopped = False

    # Life

    async def start(self) -> None:
        """Begin the cadence with a first sample; harmless when it runs already."""
        self._stopped = False
        if self._loop_task is None:
            self._loop_task = asyncio.create_task(self._run(), name="metrics-cadence")

    async def stop(self) -> None:
        """End the cadence and every watcher, wait for a sample under way, and give everything back."""
        self._stopped = True
        loop_task, self._loop_task = self._loop_task, None
        if loop_task is not None:
            loop_task.cancel()
            await asyncio.gather(loop_task, return_exceptions=True)
        for watcher in self._watchers:
            watcher.end()
        self._watchers.clear()
        if self._sampling is not None:
            await asyncio.gather(self._sampling, return_exceptions=True)
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.get_running_loop().run_in_executor(executor, self._sampler.close)
            executor.shutdown(wait=True)  # at once: its only thread has done all it was given

    def notify(self) -> None:
        """Decide the cadence now: a generation began. Costs nothing where the cadence is the active one."""
        if not self._waits_actively:
            self._wake.set()

    # Readings

    @property
    def latest(self) -> HardwareMetrics | None:
        """The last sample, however old; None before the first."""
        return self._latest

    @property
    def latest_readings(self) -> Readings:
        """What every engine cost and did at the last sample, whoever asked it."""
        return self._readings

    @property
    def history(self) -> tuple[HardwareMetrics, ...]:
        """The samples of the last five minutes, oldest first."""
        self._forget_old()
        return tuple(self._history)

    def watch(self, *, closely: bool = False) -> Watcher:
        """Look at the hardware for as long as the returned context lasts; begins with the latest sample if fresh.

        `closely`: engines are asked for their slots as well.
        """
        return Watcher(self._add, self._watchers.discard, closely=closely)

    async def snapshot(self) -> HardwareMetrics:
        """The latest sample, or a new one if that is older than the active interval: who asks is looking.

        Never fails: where nothing can be measured, the sample has no readings. After `stop` it is the last one.
        """
        if self._stopped:
            unmeasured = HardwareMetrics(at=self._clock.time(), monotonic=self._clock.monotonic(), gpu_note=UNMEASURED)
            return self._latest or unmeasured
        return self._fresh() or await self._sample()

    async def process_metrics(self, pids: Iterable[int]) -> dict[int, ProcessMetrics]:
        """What each process tree costs, by the id of its root; without those that are gone."""
        wanted = tuple(pids)
        if not wanted or self._stopped:
            return {}
        try:
            return await self._in_thread(lambda: self._sampler.processes(wanted))
        except Exception:
            logger.debug("process trees cannot be measured", exc_info=True)
            return {}

    async def metrics_for(self, servers: Sequence[ServerSnapshot], now: float | None = None) -> MetricsSnapshot:
        """A snapshot with every server that has a process; `now` is monotonic as in `ServerSnapshot.since`."""
        now = self._clock.monotonic() if now is None else now
        hardware = await self.snapshot()
        pids = process_ids(servers)
        # The sample measured the processes that there were; only for others is it worth measuring again.
        readings = self._readings
        if hardware is not self._latest or not all(pid in readings.processes for pid in pids):
            readings = replace(readings, processes=await self.process_metrics(pids))
        return whole_snapshot(hardware, servers, self._now(), readings, now)

    # Cadence

    async def _run(self) -> None:
        while True:
            self._wake.clear()
            if self._taken_at is None or self._stale(self._interval()):
                await self._sample()
                continue
            interval = self._interval()
            self._waits_actively = interval == self._active_s
            await self._clock.wait(self._wake, self._taken_at + interval - self._clock.monotonic())

    def _interval(self) -> float:
        return self._active_s if self._watchers or self._is_busy() else self._idle_s

    def _is_busy(self) -> bool:
        return any(server.leases for server in self._now().servers)

    def _now(self) -> ActorSnapshot:
        try:
            return self._state()
        except Exception:
            logger.debug("which servers run cannot be told", exc_info=True)
            return ActorSnapshot()

    def _stale(self, interval: float) -> bool:
        """Is the last sample so old, by either clock? The wall clock sees the time that the machine was suspended."""
        if self._taken_at is None:
            return True
        age = self._clock.monotonic() - self._taken_at
        wall_jump = abs(self._clock.time() - self._taken_wall - age)
        return age >= interval or wall_jump >= interval

    def _fresh(self) -> HardwareMetrics | None:
        """The last sample, if it will do for somebody who looks now and none is under way."""
        return self._latest if self._sampling is None and not self._stale(self._active_s) else None

    async def _sample(self) -> HardwareMetrics:
        """Take one sample, or join the one under way; an asker that gives up does not end it for the others."""
        if self._sampling is None:
            self._sampling = asyncio.create_task(self._measure(), name="metrics-sample")
            self._sampling.add_done_callback(self._sampling_done)
        return await asyncio.shield(self._sampling)

    def _sampling_done(self, task: asyncio.Task[HardwareMetrics]) -> None:
        self._sampling = None

    async def _measure(self) -> HardwareMetrics:
        """Measure and tell everybody; when that fails, the sample is one without any reading."""
        self._taken_wall, self._taken_at = self._clock.time(), self._clock.monotonic()
        state = self._now()
        pids = process_ids(state.servers)
        processes: dict[int, ProcessMetrics] = {}
        try:
            metrics, processes = await self._in_thread(
                lambda: (self._sampler.sample(), self._sampler.processes(pids) if pids else {})
            )
        except Exception as error:
            self._outage.failed(f"{type(error).__name__}: {error}")
            metrics = HardwareMetrics(at=self._taken_wall, monotonic=self._taken_at, gpu_note=UNMEASURED)
        else:
            self._outage.recovered()
        self._latest = metrics
        self._history.append(metrics)
        self._forget_old()
        self._read_servers(state, processes)
        self._tell_recorder(metrics, state)
        for watcher in self._watchers:
            watcher.publish(metrics)
        return metrics

    def _read_servers(self, state: ActorSnapshot, processes: dict[int, ProcessMetrics]) -> None:
        servers = servers_with_process(state.servers)
        looked_at = servers if any(watcher.closely for watcher in self._watchers) else ()
        self._readings = Readings(
            processes=processes,
            activities={} if self._activity is None else self._activity.read(one.model.alias for one in servers),
            slots={} if self._slots is None else self._slots.look(looked_at),
        )

    def _tell_recorder(self, metrics: HardwareMetrics, state: ActorSnapshot) -> None:
        now = self._clock.monotonic()
        try:
            self._record(whole_snapshot(metrics, state.servers, state, self._readings, now))
        except Exception:
            logger.exception("a sample could not be recorded")

    async def _in_thread(self, call: Callable[[], T]) -> T:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="metrics")
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)

    def _forget_old(self) -> None:
        oldest = self._clock.monotonic() - HISTORY_S
        while self._history and self._history[0].monotonic < oldest:
            self._history.popleft()

    def _add(self, watcher: Watcher) -> None:
        if self._stopped:
            watcher.end()
            return
        self._watchers.add(watcher)
        fresh = self._fresh()
        if fresh is not None:
            watcher.publish(fresh)
        self._wake.set()
