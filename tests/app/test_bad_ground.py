"""Where the app cannot work, `serve --ui` says what and what to do, and what is on the disk stays as it was."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from playwright.async_api import expect

import llamero
from tests.app.conftest import OpenWindow
from tests.app.world import DATABASE, running_app
from tests.process.cli import Home
from tests.process.test_cli_bad_input import UNPRIVILEGED, assert_refused

SERVE = ("serve", "--port", "0", "--ui")


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data directory of a Llamero that has been used before."""
    home = Home(tmp_path_factory.mktemp("used"))
    with running_app(home) as app:
        app.server.end()
    with closing(sqlite3.connect(home.data / DATABASE)) as connection, connection:
        text = "keep me " * 500
        connection.execute("INSERT INTO ui_state VALUES ('test', ?)", (text.encode(),))
        connection.executemany("INSERT INTO ui_state VALUES (?, ?)", [(f"k{n}", text) for n in range(50)])
    return home.data


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Iterator[Home]:
    """A home with a database that has something in it."""
    home = Home(tmp_path)
    shutil.copytree(used, home.data)
    yield home
    home.end_all()


def files(directory: Path) -> dict[str, tuple[str, int]]:
    """The database and its backups, byte by byte. Who only reads it may leave an empty log and an index beside it."""
    beside = [file for file in directory.glob(f"{DATABASE}-*") if file.name.endswith("-wal")]
    assert all(file.stat().st_size == 0 for file in beside)
    return {
        file.name: (hashlib.sha256(file.read_bytes()).hexdigest(), file.stat().st_mtime_ns)
        for file in directory.glob(f"{DATABASE}*")
        if not file.name.endswith(("-wal", "-shm"))
    }


def torn(database: Path) -> None:
    content = bytearray(database.read_bytes())
    content[len(content) // 3 : len(content) // 3 + 20_000] = b"\xa5" * 20_000
    database.write_bytes(content)


def cut_off(database: Path) -> None:
    database.write_bytes(database.read_bytes()[:-5000])


def no_database(database: Path) -> None:
    database.write_text("Once upon a time there was a llama. " * 1000)


def newer(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA user_version = 99")


def read_only(database: Path) -> None:
    database.chmod(0o444)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (torn, ("is damaged", "was not changed", "Move it", "start again")),
        (cut_off, ("is damaged", "was not changed", "Move it", "start again")),
        (no_database, ("is damaged", "was not changed", "Move it", "start again")),
        (newer, ("written by a newer Llamero", "was not changed", "Install the newer Llamero")),
        (read_only, ("cannot be written", "writable", "--data-dir")),
    ],
)
def test_database_that_cannot_be_used_is_refused_and_kept(
    spoil: Callable[[Path], None], said: tuple[str, ...], home: Home
) -> None:
    database = home.data / DATABASE
    spoil(database)
    before = files(home.data)
    result = home.run(*SERVE, prefix=UNPRIVILEGED)
    assert_refused(result, home, str(database), *said)
    assert files(home.data) == before


def test_database_that_another_program_holds_is_refused_and_kept(home: Home) -> None:
    database = home.data / DATABASE
    before = files(home.data)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        # Who reads the file here and closes it gives up the lock: POSIX drops it with any descriptor of the process.
        assert_refused(home.run(*SERVE), home, "Another program holds the database", str(database), "Close that")
        other.execute("ROLLBACK")
    assert files(home.data) == before


def test_data_directory_of_another_llamero_is_refused_by_its_process(home: Home) -> None:
    with running_app(home) as app:
        result = home.run(*SERVE)
        assert result.status == 1
        assert result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert f"in use by another Llamero (process {app.server.process.pid})" in line
        assert "Stop that one" in line
        assert app.server.end().status == 0


def test_data_directory_that_cannot_be_written_is_refused(home: Home) -> None:
    before = files(home.data)
    home.data.chmod(0o555)
    try:
        result = home.run(*SERVE, prefix=UNPRIVILEGED)
    finally:
        home.data.chmod(0o700)
    assert_refused(result, home, str(home.data), "permissions", "--data-dir")
    assert files(home.data) == before


async def test_page_that_was_not_built_says_so(home: Home, windows: OpenWindow, tmp_path: Path) -> None:
    elsewhere = tmp_path / "source" / "backend"
    shutil.copytree(Path(llamero.__file__).parent, elsewhere / "llamero")
    with running_app(home, env={"PYTHONPATH": str(elsewhere)}) as app:
        began = time.monotonic()
        window = await windows(app, tolerated=["status of 503", "status of 404"])  # the page, its icon
        await expect(window.page.get_by_role("heading", name="Llamero")).to_be_visible()
        await expect(window.page.get_by_text('Run "make app" in the source folder')).to_be_visible()
        assert time.monotonic() - began < 5
