"""Databases that cannot be used: each is really made so, is told by its own code, and keeps its bytes."""

from __future__ import annotations

import asyncio
import hashlib
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.failures import backup_path
from llamero.infrastructure.storage.migrations import MIGRATIONS
from llamero.models.conversations import MessageStatus
from llamero.models.errors import IoFailed
from tests.fakes.clock import FakeClock
from tests.fakes.launch import REPOSITORY
from tests.fakes.unprivileged import as_nobody, reachable_directory

QUESTIONS = 150


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with some hundred kilobytes of conversations, closed."""
    path = tmp_path / "llamero.db"
    asyncio.run(fill(path))
    return path


async def fill(path: Path, questions: int = QUESTIONS) -> None:
    database = await Database.open(path)
    store = ChatStore(database, FakeClock())
    await asyncio.gather(*(store.ask(f"question {n} " * 200, "m", title=f"T{n}") for n in range(questions)))
    await store.recover()
    await database.close()


async def questions(path: Path, migrations: Path = MIGRATIONS) -> int:
    database = await Database.open(path, migrations=migrations)
    found = len(await ChatStore(database, FakeClock()).conversations())
    await database.close()
    return found


def failure_of(path: Path, **options: float) -> IoFailed:
    """Open it, which must fail, and leave the file as it is."""
    before = fingerprint(path)
    with pytest.raises(IoFailed) as raised:
        asyncio.run(Database.open(path, **options))  # type: ignore[arg-type]
    assert fingerprint(path) == before
    assert str(path) in default_messages().error(raised.value)
    return raised.value


def fingerprint(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def truncated_oddly(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1234)


def overwritten(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(b"\xa5" * 65536)


def without_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"not a database at all")


def of_text(path: Path) -> None:
    path.write_text("SQLite format 3 is not what this is\n" * 100)


def of_another_program(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE recipes (name)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "damage", [truncated, truncated_oddly, overwritten, without_header, of_text, of_another_program]
)
def test_database_that_is_damaged_is_told_and_left_alone(damage: Callable[[Path], None], path: Path) -> None:
    damage(path)
    before = {file.name for file in path.parent.iterdir()}
    error = failure_of(path)
    assert error.code == "storage_error-corrupt"
    assert error.arguments["backup"] == ""
    assert {file.name for file in path.parent.iterdir()} == before
    assert "start again" in default_messages().error(error)


def test_database_that_is_damaged_names_the_newest_backup(path: Path) -> None:
    for version in (1, 2, 10):
        backup_path(path, version).write_bytes(b"")
    backup_path(path, 11).with_suffix(".unfinished").write_bytes(b"")
    overwritten(path)
    error = failure_of(path)
    assert error.arguments["backup"] == str(backup_path(path, 10))
    assert "llamero.db.backup-v10" in default_messages().error(error)


def test_database_damaged_while_open_is_told_by_whoever_reads(path: Path) -> None:
    async def read() -> None:
        database = await Database.open(path)
        store = ChatStore(database, FakeClock())
        ids = [c.id for c in await store.conversations()]
        overwritten(path)
        with pytest.raises(IoFailed, match="storage_error-corrupt"):
            for id in ids:
                await store.conversation(id)
        await database.close()

    asyncio.run(read())


def test_database_of_a_newer_version_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    error = failure_of(path)
    assert (error.code, error.arguments["found"]) == ("storage_error-newer", 99)
    assert not path.with_name("llamero.db-wal").exists() or not path.with_name("llamero.db-wal").stat().st_size


def test_empty_file_is_a_new_database(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"
    path.touch()
    assert asyncio.run(questions(path)) == 0


@pytest.mark.parametrize("what", ["file", "directory", "missing file"])
def test_database_that_cannot_be_written_is_told(what: str) -> None:
    with reachable_directory() as directory:
        path = directory / "llamero.db"
        if what != "missing file":
            asyncio.run(fill(path, 3))
            path.chmod(0o444 if what == "file" else 0o666)
        directory.chmod(0o777 if what == "file" else 0o555)

        def attempt() -> tuple[str, str]:
            try:
                asyncio.run(Database.open(path))
            except IoFailed as error:
                return error.code, str(error.arguments["path"])
            return "opened", ""

        assert as_nobody(attempt) == ("storage_error-read_only", str(path))
        directory.chmod(0o755)
        assert not path.exists() or asyncio.run(questions(path)) == 3


@contextmanager
def locked(path: Path, kind: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.process.storage_program", "lock", str(path), kind]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
        process.communicate()


def test_database_that_another_program_holds_is_told_after_a_short_wait(path: Path) -> None:
    with locked(path, "exclusive"):
        assert failure_of(path, busy_timeout_s=0.2).code == "storage_error-locked"
    assert asyncio.run(questions(path)) == QUESTIONS


def test_database_locked_while_open_fails_writes_until_it_is_free(path: Path) -> None:
    async def write() -> None:
        database = await Database.open(path, busy_timeout_s=0.1)
        store = ChatStore(database, FakeClock())
        with locked(path, "immediate"):
            assert len(await store.conversations()) == QUESTIONS
            with pytest.raises(IoFailed, match="storage_error-locked"):
                await store.ask("x", "m", title="T")
        await store.ask("x", "m", title="T")
        assert len(await store.conversations()) == QUESTIONS + 1
        await database.close()

    asyncio.run(write())


def as_limited(function: Callable[[], list[str]]) -> list[str]:
    """Call it in a child whose files cannot grow beyond what it sets by `limit_files`."""
    return as_nobody(function)


def limit_files(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def writable_by_all(source: Path) -> Iterator[Path]:
    with reachable_directory() as directory:
        directory.chmod(0o777)
        path = directory / "llamero.db"
        path.write_bytes(source.read_bytes())
        path.chmod(0o666)
        yield path


def test_disk_full_while_writing_keeps_what_was_acknowledged_and_goes_on_when_there_is_space(path: Path) -> None:
    async def fill_up(path: Path) -> list[str]:
        database = await Database.open(path)
        store = ChatStore(database, FakeClock())
        running = await store.ask("an answer is under way", "m", title="T")
        limit_files(QUESTIONS * 4000)
        acknowledged, code = 1, ""
        while not code:
            try:
                await store.ask("more " * 2000, "m", title="T")
                acknowledged += 1
            except IoFailed as error:
                code = error.code
        kept = len(await store.conversations())
        small = "fits"
        try:
            await store.append(running.assistant_message.id, "x" * 1_000_000, "")
        except IoFailed as error:
            small = error.code
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await store.ask("there is space again", "m", title="T")
        await database.close()
        return [code, small, str(kept - acknowledged), str(await questions(path) - acknowledged)]

    with writable_by_all(path) as copy:
        result = as_limited(lambda: asyncio.run(fill_up(copy)))
    assert result == ["storage_error-full", "storage_error-full", str(QUESTIONS), str(QUESTIONS + 1)]


def test_disk_full_before_a_migration_leaves_the_old_database_alone(path: Path, tmp_path: Path) -> None:
    with writable_by_all(path) as copy:
        steps = copy.parent / "migrations"
        steps.mkdir()
        shipped = sorted(MIGRATIONS.glob("*.sql"))
        for file in shipped:
            (steps / file.name).write_text(file.read_text())
        (steps / f"{len(shipped) + 1:04}_more.sql").write_text("ALTER TABLE messages ADD COLUMN more TEXT;\n")
        for file in (steps, *steps.iterdir()):
            file.chmod(0o755)
        before = copy.read_bytes()

        def migrate() -> list[str]:
            limit_files(copy.stat().st_size // 2)
            try:
                asyncio.run(Database.open(copy, migrations=steps))
            except IoFailed as error:
                return [error.code]
            return ["opened"]

        assert as_limited(migrate) == ["storage_error-full"]
        assert copy.read_bytes() == before
        assert not [f for f in copy.parent.iterdir() if "backup" in f.name]
        assert asyncio.run(questions(copy, steps)) == QUESTIONS


def test_answers_of_a_process_that_ended_without_closing_are_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"

    async def die() -> None:
        store = ChatStore(await Database.open(path), FakeClock())
        asked = await store.ask("q", "m", title="T")
        await store.append(asked.assistant_message.id, "half", "")

    child = os.fork()
    if child == 0:
        asyncio.run(die())
        os._exit(0)
    os.waitpid(child, 0)

    async def reopen() -> None:
        database = await Database.open(path)
        store = ChatStore(database, FakeClock())
        assert (await store.recover()).interrupted == 1
        (conversation,) = await store.conversations()
        assert conversation.head is not None
        message = await store.message(conversation.head)
        assert (message.content, message.status) == ("half", MessageStatus.INTERRUPTED)
        await database.close()

    asyncio.run(reopen())
