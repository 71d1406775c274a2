"""The runs of benches on the disk. One that this version cannot read counts as absent; it stays on the disk."""

from __future__ import annotations

import logging
import sqlite3

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.storage.database import Database
from llamero.models.bench import BenchRun
from llamero.models.errors import NotFound

MOST_RUNS = 1000

logger = logging.getLogger(__name__)

_decoder: msgspec.json.Decoder[BenchRun] = msgspec.json.Decoder(BenchRun)


class BenchStore:
    """Runs by id; of more than `MOST_RUNS` the oldest are forgotten. Every method raises IoFailed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, run: BenchRun) -> BenchRun:
        """Keep a run, in the place of the one of its id; a new one is given an id."""

        def work(connection: sqlite3.Connection) -> int:
            id, data = run.id or None, msgspec.json.encode(run)
            cursor = connection.execute(
                "INSERT INTO bench_runs (id, model, run) VALUES (?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET run = excluded.run",
                (id, run.model, data),
            )
            connection.execute(
                "DELETE FROM bench_runs WHERE id <= (SELECT max(id) FROM bench_runs) - ?",
                (MOST_RUNS,),
            )
            return run.id or int(cursor.lastrowid or 0)

        return replace(run, id=await self._database.write(work))

    async def get(self, id: int) -> BenchRun:
        """Return a run. Raises NotFound."""
        rows = await self._database.read(
            lambda connection: connection.execute("SELECT id, run FROM bench_runs WHERE id = ?", (id,)).fetchall()
        )
        for run in _decoded(rows):
            return run
        raise NotFound("bench_error-not_found", id=id)

    async def listed(self, model: str | None = None) -> tuple[BenchRun, ...]:
        """Every run that is kept, of one model or of all, the newest first."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT id, run FROM bench_runs WHERE model = coalesce(?, model) ORDER BY id DESC", (model,)
            ).fetchall()
        )
        return tuple(_decoded(rows))


def _decoded(rows: list[tuple[int, bytes | str]]) -> list[BenchRun]:
    runs = []
    for id, data in rows:
        try:
            runs.append(replace(_decoder.decode(data), id=id))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            logger.warning("the bench %d is not what it should be, so it is left out: %s", id, error)
    return runs
