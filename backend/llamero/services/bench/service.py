"""Runs of benches: one at a time, kept as they are measured, told to whoever follows.

Invariants: a run that has measured something is kept, however it ends; whoever follows is told the state so far and
then every change, at last what came of the run; nobody who follows delays the measurement.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import Protocol

from msgspec.structs import replace

from llamero.models.bench import BenchEnd, BenchFrame, BenchProgress, BenchReport, BenchRun
from llamero.models.errors import Conflict, InternalError, LlameroError
from llamero.services.bench.figures import compared, comparison
from llamero.services.bench.measuring import Measuring

Sentence = Callable[[LlameroError], str]

logger = logging.getLogger(__name__)


class BenchStore(Protocol):
    """Where runs are kept: `infrastructure.storage.benches.BenchStore`. Every method raises IoFailed."""

    async def save(self, run: BenchRun) -> BenchRun:
        """Keep a run, in the place of the one of its id; a new one is given an id."""
        ...

    async def get(self, id: int) -> BenchRun:
        """Return a run. Raises NotFound."""
        ...

    async def listed(self, model: str | None = None) -> tuple[BenchRun, ...]:
        """Every run that is kept, of one model or of all, the newest first."""
        ...


class Follower(Protocol):
    """Somebody who is told how a run goes. Neither method waits or raises."""

    def send(self, frame: BenchFrame) -> None: ...  # noqa: D102
    def end(self) -> None: ...  # noqa: D102


class BenchService:
    """Measures models. Everything belongs to one event loop."""

    def __init__(self, make: Callable[[], Measuring], store: BenchStore, sentence: Sentence) -> None:
        self._make = make
        self._store = store
        self._sentence = sentence
        self._task: asyncio.Task[None] | None = None
        self._measurement: asyncio.Task[None] | None = None
        self._last = BenchFrame()
        self._follower: Follower | None = None
        self.on_frame: Callable[[BenchFrame], None] = lambda frame: None
        """Told the same as the follower, of every run."""

    @property
    def now(self) -> BenchFrame | None:
        """How the run under way stands; None when there is none."""
        return self._last if self._task is not None else None

    def begin(self, model: str, *, quick: bool, follower: Follower | None = None) -> None:
        """Begin a run. Raises Conflict while one is under way."""
        if self._task is not None:
            measured = self._last.progress.model if self._last.progress is not None else model
            raise Conflict("bench_error-running", model=measured)
        self._follower = follower
        self._tell_progress(BenchProgress(model=model, done=0, planned=0), run=None)
        self._measurement = asyncio.create_task(self._measure(model, quick), name=f"measurement of {model}")
        self._task = asyncio.create_task(self._run(self._measurement), name=f"bench {model}")

    async def stop(self) -> None:
        """End the run with what was measured; without effect where there is none. Returns when it is kept."""
        task, measurement = self._task, self._measurement
        if task is not None and measurement is not None:
            if not measurement.cancelling():
                measurement.cancel()
            await asyncio.wait({task})

    async def report(self, id: int, against: int | None = None) -> BenchReport:
        """A run, compared with the run of that id, or with the one that suits best. Raises NotFound."""
        run = await self._store.get(id)
        if against is None:
            return await self._compared(run)
        return BenchReport(run=run, comparison=compared(run, await self._store.get(against)))

    async def listed(self) -> tuple[BenchRun, ...]:
        """Every run that is kept, the newest first."""
        return await self._store.listed()

    async def _run(self, measured: asyncio.Task[None]) -> None:
        """See a measurement to its end, keep how it ended, and tell. Only the measurement is ever cancelled."""
        await asyncio.wait({measured})
        end, error = BenchEnd.COMPLETE, ""
        if measured.cancelled():
            end = BenchEnd.STOPPED
        elif (failure := measured.exception()) is not None:
            end, error = BenchEnd.FAILED, self._told(failure)
        try:
            report = await self._settled(end, error)
        except LlameroError as failure:
            report, error = None, self._sentence(failure)
        self._task = self._measurement = None
        self._tell(BenchFrame(report=report, error=error))
        if self._follower is not None:
            self._follower.end()

    async def _measure(self, model: str, quick: bool) -> None:
        """Measure, and keep what was measured after every case."""

        def tell(progress: BenchProgress) -> None:
            self._tell_progress(progress, run=self._last.run)

        async with aclosing(self._make().run(model, quick=quick, tell=tell)) as states:
            async for state in states:
                await self._keep(state)

    async def _keep(self, state: BenchRun) -> BenchRun:
        """Keep a run that has measured something, under the id that it has already."""
        known = self._last.run
        run = replace(state, id=known.id if known is not None else 0)
        kept = await self._saved(run) if run.results else run
        self._tell(BenchFrame(progress=self._last.progress, run=kept))
        return kept

    async def _saved(self, run: BenchRun) -> BenchRun:
        saving = asyncio.ensure_future(self._store.save(run))
        try:
            return await asyncio.shield(saving)
        except asyncio.CancelledError:
            # It is kept all the same. With its id unknown, its end would be kept as another run.
            self._last = replace(self._last, run=await saving)
            raise

    async def _settled(self, end: BenchEnd, note: str) -> BenchReport | None:
        """Keep how the run has ended; None where it has measured nothing."""
        run = self._last.run
        if run is None or not run.results:
            return None
        return await self._compared(await self._keep(replace(run, end=end, note=note)))

    async def _compared(self, run: BenchRun) -> BenchReport:
        return BenchReport(run=run, comparison=comparison(run, await self._store.listed(run.model)))

    def _told(self, failure: BaseException) -> str:
        if isinstance(failure, LlameroError):
            return self._sentence(failure)
        logger.error("a bench failed", exc_info=failure)
        return self._sentence(InternalError())

    def _tell_progress(self, progress: BenchProgress, *, run: BenchRun | None) -> None:
        self._tell(BenchFrame(progress=progress, run=run))

    def _tell(self, frame: BenchFrame) -> None:
        self._last = frame
        self.on_frame(frame)
        if self._follower is not None:
            self._follower.send(frame)
