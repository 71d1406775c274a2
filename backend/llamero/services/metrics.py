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
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Protocol, TypeVar

from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.outage import Outage
from llamero.models.llama import ServerPhase, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot, ProcessMetrics, ServerMetrics
from llamero.models.settings import MetricsSettings

T = TypeVar("T")

# A setting of 0 must not become a busy loop; it also bounds how many samples the history can hold.
SHORTEST_INTERVAL_S = 0.25
HISTORY_S = 300.0
UNMEASURED = "The hardware cannot be measured."
WITHOUT_PROCESS = frozenset({ServerPhase.STOPPED, ServerPhase.FAILED})

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


class Watcher:
    """Somebody who looks: `with service.watch() as samples: async for sample in samples`. For one task.

    Keeps the latest sample only. The iteration ends when the service stops.
    """

    def __init__(self, service: MetricsService) -> None:
        self._service = service
        self._latest: HardwareMetrics | None = None
        self._changed = asyncio.Event()
        self._ended = False

    def __enter__(self) -> Watcher:
        self._service._add(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._service._remove(self)

    def __aiter__(self) -> Watcher:
        return self

    async def __anext__(self) -> HardwareMetrics:
        while self._latest is None:
            if self._ended:
                raise StopAsyncIteration
            self._changed.clear()
            await self._changed.wait()
        latest, self._latest = self._latest, None
        return latest

    def _publish(self, metrics: HardwareMetrics) -> None:
        self._latest = metrics
        self._changed.set()

    def _end(self) -> None:
        self._ended = True
        self._changed.set()


class MetricsService:
    """Measures at the right times. Every method belongs to one event loop; may be started again after `stop`.

    `busy` says whether a generation runs. It is asked whenever the cadence is decided, and `notify` makes that now.
    `engines` are the processes that are measured with every sample.
    """

    def __init__(
        self,
        sampler: Sampler,
        *,
        settings: MetricsSettings | None = None,
        clock: Clock | None = None,
        busy: Callable[[], bool] = lambda: False,
        engines: Callable[[], Iterable[int]] = tuple,
    ) -> None:
        settings = settings if settings is not None else MetricsSettings()
        self._sampler = sampler
        self._clock = clock if clock is not None else SystemClock()
        self._busy = busy
        self._engines = engines
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
        self._processes: dict[int, ProcessMetrics] = {}
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
            watcher._end()
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
    def latest_processes(self) -> Mapping[int, ProcessMetrics]:
        """What every engine cost at the last sample, by process id."""
        return self._processes

    @property
    def history(self) -> tuple[HardwareMetrics, ...]:
        """The samples of the last five minutes, oldest first."""
        self._forget_old()
        return tuple(self._history)

    def watch(self) -> Watcher:
        """Look at the hardware for as long as the returned context lasts; begins with the latest sample if fresh."""
        return Watcher(self)

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
        running = [server for server in servers if server.phase not in WITHOUT_PROCESS]
        hardware = await self.snapshot()
        processes = await self.process_metrics(server.pid for server in running if server.pid is not None)
        return MetricsSnapshot(
            hardware=hardware, servers=tuple([_server_metrics(server, processes, now) for server in running])
        )

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
        try:
            return self._busy()
        except Exception:
            logger.debug("whether a generation runs cannot be told", exc_info=True)
            return False

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
        """Measure and tell every watcher; when that fails, the sample is one without any reading."""
        self._taken_wall, self._taken_at = self._clock.time(), self._clock.monotonic()
        try:
            pids = tuple(self._engines())
            metrics, self._processes = await self._in_thread(
                lambda: (self._sampler.sample(), self._sampler.processes(pids) if pids else {})
            )
        except Exception as error:
            self._outage.failed(f"{type(error).__name__}: {error}")
            metrics = HardwareMetrics(at=self._taken_wall, monotonic=self._taken_at, gpu_note=UNMEASURED)
            self._processes = {}
        else:
            self._outage.recovered()
        self._latest = metrics
        self._history.append(metrics)
        self._forget_old()
        for watcher in self._watchers:
            watcher._publish(metrics)
        return metrics

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
            watcher._end()
            return
        self._watchers.add(watcher)
        fresh = self._fresh()
        if fresh is not None:
            watcher._publish(fresh)
        self._wake.set()

    def _remove(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)


def _server_metrics(server: ServerSnapshot, processes: dict[int, ProcessMetrics], now: float) -> ServerMetrics:
    """One server; it is up since it became ready, and the time in any other phase is not counted."""
    return ServerMetrics(
        alias=server.model.alias,
        phase=server.phase,
        leases=server.leases,
        pid=server.pid,
        uptime_s=max(0.0, now - server.since) if server.phase is ServerPhase.READY else None,
        process=processes.get(server.pid) if server.pid is not None else None,
    )
