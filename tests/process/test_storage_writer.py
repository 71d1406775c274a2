"""One writer: order, one failure among many, few commits for many writes, and nobody else waits."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from llamero.infrastructure.storage.connections import connect_writer
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.failures import storage_error
from llamero.infrastructure.storage.migrations import MIGRATIONS
from llamero.infrastructure.storage.opening import open_database
from llamero.infrastructure.storage.writer import Writer
from llamero.models.errors import IoFailed, NotFound

Work = Callable[[sqlite3.Connection], None]


def setting(key: str, value: str = "1") -> Work:
    def write(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO ui_state (key, value) VALUES (?, ?)", (key, value))

    return write


def keys(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT key FROM ui_state ORDER BY key")]


def modes(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in directory.iterdir()}


class Gate:
    """A write that holds the writer until the gate is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, connection: sqlite3.Connection) -> None:
        self.entered.set()
        assert self.open.wait(10)


def test_writes_that_wait_together_are_committed_together(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_database(path, MIGRATIONS, 1.0).close()
    connection = connect_writer(path, 1.0)
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    writer, gate = Writer(connection, path), Gate()
    first = writer.submit(gate, durable=False)
    assert gate.entered.wait(10)
    rest = [writer.submit(setting(f"{n:03}"), durable=n == 7) for n in range(50)]
    gate.open.set()
    for done in [first, *rest]:
        done.result(10)
    writer.close()
    assert [s for s in statements if s == "COMMIT"] == ["COMMIT"] * 2
    assert [s for s in statements if "synchronous" in s] == [f"PRAGMA synchronous = {w}" for w in ("NORMAL", "FULL")]


async def test_write_that_fails_undoes_itself_alone(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    gate = Gate()

    def broken(connection: sqlite3.Connection) -> None:
        setting("lost")(connection)
        raise NotFound()

    held = database.write(gate)
    writes = [database.write(setting("a")), database.write(broken), database.write(setting("a"))]
    writes += [database.write(setting("b"))]
    gate.open.set()
    await held
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), NotFound, sqlite3.IntegrityError, type(None)]
    assert await database.read(keys) == ["a", "b"]
    await database.close()


async def test_batch_that_cannot_be_committed_is_made_again_one_by_one(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    gate = Gate()

    def orphan(connection: sqlite3.Connection) -> None:
        """Breaks a foreign key in a way that only COMMIT notices."""
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("INSERT INTO answer_parts (message_id, content, reasoning) VALUES ('none', '', '')")

    held = database.write(gate)
    writes = [database.write(work) for work in (setting("a"), orphan, setting("b"))]
    gate.open.set()
    await held
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), sqlite3.IntegrityError, type(None)]
    assert await database.read(keys) == ["a", "b"]
    await database.close()


async def test_writes_are_made_in_order_and_a_cancelled_wait_undoes_none(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    gate = Gate()
    held = database.write(gate)
    order: list[int] = []
    writes = []
    for number in range(200):

        def note(connection: sqlite3.Connection, number: int = number) -> None:
            order.append(number)
            setting(f"{number:03}")(connection)

        writes.append(database.write(note))
    for cancelled in writes[::3]:
        cancelled.cancel()
    gate.open.set()
    await held
    await database.close()
    assert order == list(range(200))
    database = await Database.open(tmp_path / "db")
    assert len(await database.read(keys)) == 200
    await database.close()


async def test_readers_and_the_event_loop_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.write(setting("before"))
    gate = Gate()

    def slow(connection: sqlite3.Connection) -> None:
        setting("after")(connection)
        gate(connection)

    writing = database.write(slow)
    assert await asyncio.to_thread(gate.entered.wait, 10)
    assert await asyncio.gather(*(database.read(keys) for _ in range(10))) == [["before"]] * 10
    assert not writing.done()
    gate.open.set()
    await writing
    assert await database.read(keys) == ["after", "before"]
    await database.close()


async def test_read_cannot_change_anything(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    with pytest.raises(IoFailed, match="storage_error-read_only"):
        await database.read(setting("x"))
    await database.close()


async def test_close_makes_what_was_handed_in_and_refuses_what_comes_later(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    gate = Gate()
    held = database.write(gate)
    last = database.write(setting("last"))
    closing = [asyncio.create_task(database.close()) for _ in range(3)]
    await asyncio.sleep(0)
    gate.open.set()
    await asyncio.gather(held, last, *closing)
    await database.close()
    with pytest.raises(IoFailed, match="storage_error-closed"):
        await database.write(setting("later"))
    with pytest.raises(IoFailed, match="storage_error-closed"):
        await database.read(keys)
    assert set(modes(tmp_path)) == {"db"}
    database = await Database.open(tmp_path / "db")
    assert await database.read(keys) == ["last"]
    await database.close()


async def test_database_is_for_its_user_alone(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    await database.write(setting("a"))
    found = modes(tmp_path)
    await database.close()
    assert found == {"db": 0o600, "db-wal": 0o600, "db-shm": 0o600}


async def test_full_database_is_told_and_what_was_there_stays(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")

    def limit(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 4}").fetchone()

    await database.write(setting("kept"))
    await database.write(limit)
    with pytest.raises(IoFailed, match="storage_error-full"):
        await database.write(setting("big", "x" * 100_000))
    await database.write(setting("small"))
    assert await database.read(keys) == ["kept", "small"]
    await database.close()


def test_storage_error_leaves_mistakes_of_ours_as_they_are() -> None:
    mistake = sqlite3.ProgrammingError("Incorrect number of bindings supplied")
    assert storage_error(mistake, Path("db")) is mistake
    assert storage_error(KeyError("x"), Path("db")).args == ("x",)
