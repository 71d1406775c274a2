"""That a change of the database is noticed by whoever asks before every request."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from llamero.infrastructure.storage.changes import ChangeWatch
from llamero.infrastructure.storage.database import Database


async def add_table(database: Database, number: int) -> None:
    await database.write(lambda connection: connection.execute(f"CREATE TABLE extra_{number} (value)") and None)


async def test_commit_of_another_is_another_count(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "llamero.db")
    elsewhere = await Database.open(tmp_path / "llamero.db")
    try:
        counts = [database.changes.count()]
        for number in range(5):
            await add_table(elsewhere if number % 2 else database, number)
            counts.append(database.changes.count())
        assert None not in counts
        assert len(set(counts)) == 6
    finally:
        await elsewhere.close()
        await database.close()


def test_change_made_while_nobody_else_has_the_database_open_is_noticed(tmp_path: Path) -> None:
    database = asyncio.run(opened_and_left(tmp_path / "llamero.db"))
    watch = ChangeWatch(database)
    try:
        before = watch.count()
        asyncio.run(change(database))
        assert watch.count() != before
    finally:
        watch.close()


def test_looking_for_changes_gives_no_lock_away(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file as soon as the process closes it anywhere; two could write at once."""
    path = tmp_path / "llamero.db"
    asyncio.run(opened_and_left(path))
    write = f"import sqlite3; sqlite3.connect({str(path)!r}, timeout=0).execute('BEGIN IMMEDIATE')"
    with closing(sqlite3.connect(path, isolation_level=None)) as mine:
        mine.execute("BEGIN IMMEDIATE")
        watch = ChangeWatch(path)
        assert watch.count() is not None
        watch.close()
        other = subprocess.run([sys.executable, "-c", write], capture_output=True, text=True, timeout=30, check=False)
        assert "database is locked" in other.stderr


def test_closed_watch_cannot_be_asked_and_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    async def ask_before_and_after() -> tuple[int | None, int | None]:
        database = await Database.open(tmp_path / "llamero.db")
        before = database.changes.count()
        await database.close()
        return before, database.changes.count()

    before, after = asyncio.run(ask_before_and_after())
    assert before is not None
    assert after is None
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("llamero.db")] == ["llamero.db"]


async def opened_and_left(path: Path) -> Path:
    await (await Database.open(path)).close()
    return path


async def change(path: Path) -> None:
    database = await Database.open(path)
    await add_table(database, 0)
    await database.close()
