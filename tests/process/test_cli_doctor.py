"""`llamero doctor`: all right here, and every trouble named with what to do, without a trace on the disk."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.fakes.launch import fake_engine
from tests.process.cli import WITHOUT_PRIVILEGES, Home, Result, serving

UNPRIVILEGED = WITHOUT_PRIVILEGES if os.geteuid() == 0 else ()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def line_of(result: Result, name: str) -> str:
    """The first line about something, mark included."""
    return next(line for line in result.stdout.splitlines() if line[2:].startswith(name))


def test_cli_doctor_finds_everything_all_right_here(home: Home) -> None:
    result = home.run("doctor")
    assert (result.status, result.stderr) == (0, ""), result.stdout
    for name in ("Engine", "Processor", "GPU", "Memory", "Data", "Port", "Settings", "Database"):
        assert line_of(result, name)
    assert "embedded, version" in line_of(result, "Engine")
    assert "full-text search" in line_of(result, "Database")
    assert "✗" not in result.stdout
    assert not home.data.exists()
    assert home.members() == []


def test_cli_doctor_without_unicode_speaks_ascii(home: Home) -> None:
    result = home.run("doctor", env={"PYTHONIOENCODING": "ascii:strict"})
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.isascii()
    assert line_of(result, "Engine").startswith("+ ")


@pytest.mark.parametrize("mode", [0, 0o500], ids=["unreadable", "read-only"])
def test_cli_doctor_data_directory_that_cannot_be_used_is_a_problem(mode: int, home: Home) -> None:
    home.data.mkdir()
    home.data.chmod(mode)
    try:
        result = home.run("doctor", prefix=UNPRIVILEGED)
    finally:
        home.data.chmod(0o700)
    assert (result.status, result.stderr) == (1, "")
    assert line_of(result, "Data").startswith("✗ ")
    assert "permissions" in line_of(result, "Data")
    assert line_of(result, "Engine").startswith("✓ ")


def test_cli_doctor_data_directory_that_cannot_be_made_is_a_problem(home: Home) -> None:
    home.data.write_text("a file")
    result = home.run("doctor")
    assert (result.status, result.stderr) == (1, "")
    assert "is not a directory" in line_of(result, "Data")
    assert home.data.read_text() == "a file"


def test_cli_doctor_database_that_can_be_used_is_said_to_be_and_left_alone(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        beside = home.run("doctor")
        server.end()
    database = home.data / "llamero.db"
    alone = home.run("doctor")
    for result in (beside, alone):
        assert (result.status, result.stderr) == (0, ""), result.stdout
        assert f"{database} can be read and written" in result.stdout
    assert [file.name for file in home.data.glob("llamero.db*")] == ["llamero.db"]


@pytest.mark.parametrize("case", ["damaged", "newer", "read-only", "of another program", "a directory"])
def test_cli_doctor_database_that_serve_would_refuse_is_a_problem_in_the_same_words(case: str, home: Home) -> None:
    database = home.data / "llamero.db"
    with serving(home, "--port", "0") as server:
        server.url()
        server.end()
    match case:
        case "damaged":
            database.write_bytes(database.read_bytes()[:-5000])
        case "newer":
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("PRAGMA user_version = 999")
        case "read-only":
            database.chmod(0o444)
        case "of another program":
            database.unlink()
            with closing(sqlite3.connect(database)) as connection:
                connection.execute("CREATE TABLE theirs (theirs)")
        case "a directory":
            database.unlink()
            database.mkdir()
    before = database.stat()
    result = home.run("doctor", prefix=UNPRIVILEGED)
    assert (result.status, result.stderr) == (1, ""), result.stdout
    (problem,) = [line[2:].strip() for line in result.stdout.splitlines() if line.startswith("✗")]
    problem = problem.removeprefix("Database").strip()
    refused = home.run("serve", "--port", "0", prefix=UNPRIVILEGED)
    assert problem.partition(": ")[0] in refused.stderr
    assert "advice-" not in result.stdout
    after = database.stat()
    assert (after.st_mtime_ns, after.st_size) == (before.st_mtime_ns, before.st_size)
    assert [file.name for file in home.data.glob("llamero.db*")] == ["llamero.db"]


def test_cli_doctor_engine_that_is_missing_is_a_problem(home: Home) -> None:
    home.write_settings('[engine]\npath = "/nowhere/llama-server"\n')
    result = home.run("doctor")
    assert (result.status, result.stderr) == (1, "")
    assert line_of(result, "Engine").startswith("✗ ")
    assert "/nowhere/llama-server" in line_of(result, "Engine")
    assert "engine.path" in result.stdout


@pytest.mark.parametrize(("flag", "mark"), [("--ctx-size 512", "✓"), ("--ctx-sise 512", "✗")])
def test_cli_doctor_flags_of_the_settings_are_tried(flag: str, mark: str, home: Home, tmp_path: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine"), f'arguments = ["{flag}"]\n')
    result = home.run("doctor")
    assert line_of(result, "Engine flags").startswith(mark)
    assert result.status == (0 if mark == "✓" else 1)
    assert str(tmp_path / "engine" / "llama-server") in line_of(result, "Engine")


def test_cli_doctor_each_mistake_in_the_settings_is_named(home: Home) -> None:
    home.write_settings('[gateway]\nport = "many"\nhots = "x"\n[engin]\n')
    result = home.run("doctor")
    assert result.status == 0
    assert line_of(result, "Settings").startswith("! ")
    for word in ("gateway.port", "gateway.hots", "[engin]", "3 warnings"):
        assert word in result.stdout


def test_cli_doctor_settings_that_are_no_toml_are_a_problem(home: Home) -> None:
    home.write_settings("[gateway\n")
    result = home.run("doctor")
    assert (result.status, result.stderr) == (1, "")
    assert line_of(result, "Settings").startswith("✗ ")


def test_cli_doctor_port_of_a_running_llamero_is_all_right(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        port = server.port()
        home.write_settings(f"[gateway]\nport = {port}\n")
        result = home.run("doctor")
        assert f"✓ Port       {port} is in use by Llamero itself" in result.stdout
        assert result.status == 0
        home.end_all()
    result = home.run("doctor")
    assert f"{port} is free" in line_of(result, "Port")


def test_cli_doctor_port_of_another_program_is_a_problem_where_it_was_chosen(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        home.write_settings(f"[gateway]\nport = {holder.getsockname()[1]}\n")
        result = home.run("doctor")
    assert result.status == 1
    assert line_of(result, "Port").startswith("✗ ")
    assert f"process {os.getpid()}" in line_of(result, "Port")
