"""The hardware's past on the disk: batches of rows, written seldom, forgotten by their number.

It is in the database rather than in a file of its own, because that has what a second format would have to be taught:
batches that are there as a whole or not at all after a kill, one writer, a version. What is forgotten is counted in
rows, not in age: a clock that is wrong for a moment must not make everything too old.

A batch is zlib over MessagePack: times as 64-bit, values as 32-bit floats, little-endian, NaN for a gap.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import zlib
from array import array
from collections.abc import Sequence

import msgspec

from llamero.infrastructure.storage.database import Database
from llamero.models.metrics_history import Generation, HistoryTable

logger = logging.getLogger(__name__)

_INSERT = "INSERT INTO metrics_history (resolution_s, points, first_at, last_at, batch) VALUES (?, ?, ?, ?, ?)"
# All but the newest batches that together have so many rows.
_TOO_MANY = """
DELETE FROM metrics_history WHERE seq IN (
    SELECT seq FROM (
        SELECT seq, SUM(points) OVER (ORDER BY seq DESC) - points AS newer
        FROM metrics_history WHERE resolution_s = ?
    ) WHERE newer >= ?
)
"""
_SINCE = """
SELECT batch FROM metrics_history WHERE resolution_s = ? AND last_at >= ? AND first_at <= ? ORDER BY seq
"""


class HistoryBatch(msgspec.Struct, frozen=True):
    """Rows of one resolution, whose times only grow, and the requests that ended meanwhile."""

    resolution_s: int
    table: HistoryTable
    generations: tuple[Generation, ...] = ()


class _Kept(msgspec.Struct, frozen=True, array_like=True):
    times: bytes
    names: tuple[str, ...]
    columns: tuple[bytes, ...]
    generations: tuple[tuple[str, float, float], ...] = ()


_kept_of = msgspec.msgpack.Decoder(_Kept).decode
_encode = msgspec.msgpack.Encoder().encode


class MetricsHistoryStore:
    """The batches of one database. Every method raises IoFailed when the database cannot be used."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, batches: Sequence[HistoryBatch], most_points: dict[int, int]) -> None:
        """Keep batches, all or none, and forget what is beyond the number of rows that a resolution may have."""
        rows = [
            (batch.resolution_s, len(batch.table.times), batch.table.times[0], batch.table.times[-1], encoded(batch))
            for batch in batches
            if batch.table.times
        ]

        def write(connection: sqlite3.Connection) -> None:
            connection.executemany(_INSERT, rows)
            for resolution_s, most in most_points.items():
                connection.execute(_TOO_MANY, (resolution_s, most))

        await self._database.write(write)

    async def read(self, resolution_s: int, since: float, until: float) -> tuple[HistoryBatch, ...]:
        """The batches that reach into that time, in the order in which they were lived."""

        def read(connection: sqlite3.Connection) -> tuple[HistoryBatch, ...]:
            rows = connection.execute(_SINCE, (resolution_s, since, until)).fetchall()
            decoded = [_decoded(resolution_s, data) for (data,) in rows]
            return tuple([batch for batch in decoded if batch is not None])

        return await self._database.read(read)


def encoded(batch: HistoryBatch) -> bytes:
    """The bytes that are kept of a batch."""
    table = batch.table
    kept = _Kept(
        _bytes_of(table.times),
        tuple(table.columns),
        tuple([_bytes_of(column) for column in table.columns.values()]),
        tuple([(one.alias, one.start, one.end) for one in batch.generations]),
    )
    return zlib.compress(_encode(kept))


def _decoded(resolution_s: int, data: bytes) -> HistoryBatch | None:
    """A batch that another version wrote otherwise is left out."""
    try:
        kept = _kept_of(zlib.decompress(data))
        times = _array_of("d", kept.times)
        columns = {name: _array_of("f", column) for name, column in zip(kept.names, kept.columns, strict=True)}
    except (zlib.error, msgspec.DecodeError, ValueError) as error:
        logger.warning("a batch of the hardware's past cannot be read, so it is left out: %s", error)
        return None
    if any(len(column) != len(times) for column in columns.values()):
        return None
    generations = tuple([Generation(alias=alias, start=start, end=end) for alias, start, end in kept.generations])
    return HistoryBatch(resolution_s, HistoryTable(times, columns), generations)


def _bytes_of(values: array[float]) -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def _array_of(typecode: str, data: bytes) -> array[float]:
    values: array[float] = array(typecode)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
