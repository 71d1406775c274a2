"""Migrations: forward, whole or not at all, with a copy of what was there before."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.connections import connect_writer, schema_version
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.failures import backup_path
from llamero.infrastructure.storage.migrations import MIGRATIONS, load_migrations, migrate, statements
from llamero.models.errors import InternalError
from tests.fakes.clock import FakeClock
from tests.fakes.launch import REPOSITORY

# Never comes to its end, so a test can end it at any moment.
ENDLESS = """
ALTER TABLE messages ADD COLUMN half_done TEXT;
UPDATE conversations SET title = 'changed';
CREATE TABLE big (i, data);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
INSERT INTO big SELECT i, randomblob(5000) FROM n;
"""


def steps(directory: Path, *scripts: str) -> Path:
    """A directory with the real migrations and these behind them."""
    directory.mkdir(exist_ok=True)
    real = load_migrations()
    for step in real:
        (directory / step.file.name).write_text(step.file.read_text(encoding="utf-8"), encoding="utf-8")
    for number, script in enumerate(scripts, len(real) + 1):
        (directory / f"{number:04}_test.sql").write_text(script, encoding="utf-8")
    return directory


async def open_and_close(path: Path, migrations: Path = MIGRATIONS) -> None:
    await (await Database.open(path, migrations=migrations)).close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database of the present version with one conversation."""
    path = tmp_path / "llamero.db"

    async def fill() -> None:
        database = await Database.open(path)
        await ChatStore(database, FakeClock()).ask("hello", "m", title="mine")
        await database.close()

    asyncio.run(fill())
    return path


def title_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT title FROM conversations").fetchone()[0])


def version_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_new_database_gets_every_migration_and_no_backup(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"
    asyncio.run(open_and_close(path))
    assert version_of(path) == len(load_migrations())
    assert [file.name for file in tmp_path.iterdir()] == ["llamero.db"]


def test_database_of_the_present_version_is_opened_without_a_backup(path: Path) -> None:
    asyncio.run(open_and_close(path))
    assert [file.name for file in path.parent.iterdir()] == ["llamero.db"]


def test_migration_comes_after_a_backup_that_is_a_whole_database(path: Path, tmp_path: Path) -> None:
    old = version_of(path)
    newer = steps(tmp_path / "steps", "UPDATE conversations SET title = 'changed';\n", "CREATE TABLE more (x);\n")
    asyncio.run(open_and_close(path, newer))
    assert (version_of(path), title_in(path)) == (old + 2, "changed")
    backup = backup_path(path, old)
    assert (version_of(backup), title_in(backup)) == (old, "mine")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert sorted(file.name for file in path.parent.iterdir() if file.is_file()) == ["llamero.db", backup.name]
    backup.replace(path)
    asyncio.run(open_and_close(path))
    assert title_in(path) == "mine"


def test_migration_that_fails_leaves_the_old_database(path: Path, tmp_path: Path) -> None:
    old = version_of(path)
    newer = steps(tmp_path / "steps", "UPDATE conversations SET title = 'changed';\nSELECT no_such_column;\n")
    with pytest.raises(sqlite3.OperationalError):
        asyncio.run(open_and_close(path, newer))
    assert (version_of(path), title_in(path)) == (old, "mine")


def test_first_migrations_stay_when_a_later_one_fails(path: Path, tmp_path: Path) -> None:
    old = version_of(path)
    newer = steps(tmp_path / "steps", "UPDATE conversations SET title = 'changed';\n", "SELECT no_such_column;\n")
    with pytest.raises(sqlite3.OperationalError):
        asyncio.run(open_and_close(path, newer))
    assert (version_of(path), title_in(path)) == (old + 1, "changed")
    assert title_in(backup_path(path, old)) == "mine"


def test_process_killed_in_a_migration_leaves_the_old_database(path: Path, tmp_path: Path) -> None:
    old = version_of(path)
    newer = steps(tmp_path / "steps", ENDLESS)
    command = [sys.executable, "-m", "tests.process.storage_program", "migrate", str(path), str(newer)]
    log = path.with_name("llamero.db-wal")
    with subprocess.Popen(command, cwd=REPOSITORY) as process:
        deadline = time.monotonic() + 30
        while not (log.exists() and log.stat().st_size > 20_000_000):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert title_in(backup_path(path, old)) == "mine"
    asyncio.run(open_and_close(path))
    assert (version_of(path), title_in(path)) == (old, "mine")
    asyncio.run(open_and_close(path, steps(tmp_path / "steps", "UPDATE conversations SET title = 'mended';\n")))
    assert (version_of(path), title_in(path)) == (old + 1, "mended")


def test_migrations_with_a_gap_are_refused(tmp_path: Path) -> None:
    (tmp_path / "0001_a.sql").touch()
    (tmp_path / "0003_b.sql").touch()
    with pytest.raises(InternalError):
        load_migrations(tmp_path)


def test_statements_keep_triggers_and_comments_whole() -> None:
    script = """
-- A comment; with a semicolon;
CREATE TABLE a (x); -- behind a statement
CREATE TRIGGER t AFTER INSERT ON a
BEGIN
    UPDATE a SET x = ';';
    DELETE FROM a;
END;
INSERT INTO a VALUES ('
;
');
-- the end
"""
    found = list(statements(script))
    with closing(sqlite3.connect(":memory:")) as connection:
        for statement in found:
            connection.execute(statement)
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("a",), ("t",)]


def test_migration_that_another_process_applies_first_is_not_applied_again(tmp_path: Path) -> None:
    """`llamero serve` and `llamero key create` on a fresh directory, in the same moment."""
    path = tmp_path / "fresh.db"
    path.touch()
    turn_awaited = threading.Event()
    with closing(connect_writer(path, 10.0)) as first, closing(connect_writer(path, 10.0)) as second:
        first.execute("BEGIN IMMEDIATE")
        second.set_trace_callback(lambda statement: turn_awaited.set() if statement == "BEGIN IMMEDIATE" else None)
        with ThreadPoolExecutor(1) as pool:
            migrated = pool.submit(migrate, second, path, load_migrations())
            assert turn_awaited.wait(5)  # it has read that everything is due
            for step in load_migrations():
                for statement in statements(step.file.read_text(encoding="utf-8")):
                    first.execute(statement)
            first.execute(f"PRAGMA user_version = {len(load_migrations())}")
            first.execute("COMMIT")
            migrated.result(timeout=15)
        assert schema_version(second) == len(load_migrations())
