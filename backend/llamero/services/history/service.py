"""Keeps the hardware's past and tells it: five minutes as measured, an hour and a day in rows of means.

Invariants: what was written is never read back unless somebody asks, so memory holds five minutes and what is not
written yet; batches are written every few minutes and at the end, so a kill costs one of them; a time is told once,
and times only grow, whatever the clock did (`tables.lived`). A disk that is full costs the past, never a sample.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.outage import Outage
from llamero.infrastructure.storage.metrics_history import HistoryBatch
from llamero.models.errors import LlameroError
from llamero.models.metrics import MetricsSnapshot
from llamero.models.metrics_history import (
    Generation,
    HistoryRange,
    HistoryTable,
    MetricsExport,
    MetricsHistory,
)
from llamero.services.history.answers import Asked, export, history
from llamero.services.history.downsampling import Downsampler
from llamero.services.history.tables import append, drop_first, empty, merged
from llamero.services.history.values import values_of

FINE_S = 1.0
FINE_SPAN_S = 300.0
BATCH_S = 300.0
# Batches that could not be written: two hours of them.
MOST_UNWRITTEN = 48
# Bands that follow each other this closely are kept as one.
BAND_JOIN_S = 1.0

logger = logging.getLogger(__name__)


class Tier(msgspec.Struct, frozen=True):
    """One resolution on the disk: rows of so many seconds, for so long."""

    resolution_s: int
    span_s: float

    @property
    def points(self) -> int:
        """How many rows there can be."""
        return round(self.span_s / self.resolution_s)


TIERS = {HistoryRange.HOUR: Tier(10, 3600.0), HistoryRange.DAY: Tier(60, 86400.0)}


class Store(Protocol):
    """Batches on the disk: `infrastructure.storage.metrics_history.MetricsHistoryStore`."""

    async def add(self, batches: Sequence[HistoryBatch], most_points: dict[int, int]) -> None: ...  # noqa: D102
    async def read(self, resolution_s: int, since: float, until: float) -> tuple[HistoryBatch, ...]: ...  # noqa: D102


class Generations(Protocol):
    """Requests to the models: `services.llama.activity.Activity`."""

    def generations(self) -> tuple[Generation, ...]: ...  # noqa: D102
    def under_way(self) -> tuple[Generation, ...]: ...  # noqa: D102


class _Pending:
    """The rows of one tier that are not written yet."""

    def __init__(self, tier: Tier) -> None:
        self.tier = tier
        self.downsampler = Downsampler(tier.resolution_s)
        self.table = empty()

    def add(self, at: float, values: dict[str, float]) -> None:
        row = self.downsampler.add(at, values)
        if row is not None:
            append(self.table, *row)

    def take(self, generations: tuple[Generation, ...]) -> HistoryBatch:
        table, self.table = self.table, empty()
        return HistoryBatch(self.tier.resolution_s, table, generations)


class HistoryService:
    """The hardware's past. Every method belongs to one event loop.

    `idle_interval_s` is the longest time between two samples; rows much further apart are not joined.
    """

    def __init__(self, store: Store, clock: Clock, generations: Generations, idle_interval_s: float = 30.0) -> None:
        self._store = store
        self._clock = clock
        self._generations = generations
        self._longest_s = 2.5 * max(FINE_S, idle_interval_s)
        self._fine = empty()
        self._fine_bands: tuple[Generation, ...] = ()
        self._pending = {chosen: _Pending(tier) for chosen, tier in TIERS.items()}
        self._pending_bands: tuple[Generation, ...] = ()
        self._unwritten: list[HistoryBatch] = []
        self._begun_at: float | None = None
        self._last_at = 0.0
        self._writing: asyncio.Task[None] | None = None
        self._outage = Outage(logger, "the hardware's past")

    def record(self, snapshot: MetricsSnapshot) -> None:
        """Keep a sample."""
        at, values = snapshot.hardware.at, values_of(snapshot)
        if self._begun_at is not None and (at < self._last_at or at - self._begun_at >= BATCH_S):
            self._end_batch(whole=at < self._last_at)
        if self._begun_at is None:
            self._begun_at = at
        self._last_at = at
        append(self._fine, at, values)
        self._forget_fine(at)
        for pending in self._pending.values():
            pending.add(at, values)
        if ended := self._generations.generations():
            self._fine_bands = merged((*self._fine_bands, *ended), BAND_JOIN_S)
            self._pending_bands = merged((*self._pending_bands, *ended), BAND_JOIN_S)

    async def history(self, wanted: HistoryRange, *, after: float | None = None, cores: bool = False) -> MetricsHistory:
        """What is known of a range, or what of it came after a time. Raises IoFailed."""
        asked = await self._asked(wanted, after)
        return await asyncio.to_thread(history, asked, cores=cores)

    async def export(self, wanted: HistoryRange) -> MetricsExport:
        """All of a range as comma-separated values. Raises IoFailed."""
        asked = await self._asked(wanted, None)
        return await asyncio.to_thread(export, asked)

    async def close(self) -> None:
        """Write what is not written yet."""
        self._end_batch(whole=True)
        await self._written()

    async def _asked(self, wanted: HistoryRange, after: float | None) -> Asked:
        now = self._clock.time()
        tier = TIERS.get(wanted)
        span_s = FINE_SPAN_S if tier is None else tier.span_s
        since = now - span_s
        tables, bands = [self._fine_copy()], [self._fine_bands, self._generations.under_way()]
        if tier is not None:
            await self._written()
            pending, unwritten = self._pending[wanted], list(self._unwritten)
            bands[0] = self._pending_bands
            tables = [HistoryTable(pending.table.times[:], {n: c[:] for n, c in pending.table.columns.items()})]
            batches = await self._store.read(tier.resolution_s, max(since, after or since), now)
            batches += tuple([batch for batch in unwritten if batch.resolution_s == tier.resolution_s])
            tables = [batch.table for batch in batches] + tables
            bands += [batch.generations for batch in batches]
        return Asked(
            range=wanted,
            resolution_s=FINE_S if tier is None else float(tier.resolution_s),
            start=since,
            end=now,
            after=after,
            longest_gap_s=self._longest_s if tier is None else max(self._longest_s, 2.5 * tier.resolution_s),
            tables=tuple(tables),
            generations=tuple([one for several in bands for one in several]),
        )

    def _fine_copy(self) -> HistoryTable:
        return HistoryTable(self._fine.times[:], {name: column[:] for name, column in self._fine.columns.items()})

    def _forget_fine(self, now: float) -> None:
        """In large bites: taking the front off a column moves the rest of it."""
        times = self._fine.times
        if len(times) > 1.25 * FINE_SPAN_S / FINE_S or (len(times) > 1 and times[1] < now - 1.25 * FINE_SPAN_S):
            old = sum(1 for time in times if time < now - FINE_SPAN_S)
            # Where the clock was set back, what lies in the future is old, too, once there are that many rows.
            drop_first(self._fine, max(old, len(times) - round(FINE_SPAN_S / FINE_S)))
            self._fine_bands = tuple([band for band in self._fine_bands if band.end >= now - FINE_SPAN_S])

    def _end_batch(self, *, whole: bool) -> None:
        """Hand in what is pending; `whole`: with the rows that are still being made, since nothing follows them."""
        bands, self._pending_bands = self._pending_bands, ()
        self._begun_at = None
        for pending in self._pending.values():
            if whole and (row := pending.downsampler.close()) is not None:
                append(pending.table, *row)
            if pending.table.times:
                self._unwritten.append(pending.take(bands))
        del self._unwritten[: max(0, len(self._unwritten) - MOST_UNWRITTEN)]
        if self._unwritten:
            former = self._writing
            self._writing = asyncio.create_task(self._write(former), name="metrics history")

    async def _write(self, former: asyncio.Task[None] | None) -> None:
        """Write all that is not written; what fails is tried again with the next batch."""
        if former is not None:
            await former
        batches = list(self._unwritten)
        try:
            await self._store.add(batches, {tier.resolution_s: tier.points for tier in TIERS.values()})
        except LlameroError as error:
            self._outage.failed(str(error))
            return
        self._outage.recovered()
        self._unwritten = self._unwritten[len(batches) :]

    async def _written(self) -> None:
        """Wait for the writes under way, so that nothing is missed between memory and disk."""
        while self._writing is not None and not self._writing.done():
            await asyncio.shield(self._writing)
