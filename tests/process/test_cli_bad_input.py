"""What cannot work gets one sentence with what to do, at once, and leaves everything as it was."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.launch import fake_engine
from tests.process.cli import WITHOUT_PRIVILEGES, Home, Result, serving

LIMIT_S = 5.0  # the aim is two seconds, on a machine that does nothing else
UNPRIVILEGED = WITHOUT_PRIVILEGES if os.geteuid() == 0 else ()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def assert_refused(result: Result, home: Home, *words: str, status: int = 1) -> None:
    """One line on stderr that says this much, and nothing else."""
    print(f"refused after {result.seconds:.2f} s: {result.stderr.strip()}")
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("llamero: ")
    assert result.stdout == ""
    assert result.status == status
    for word in words:
        assert word in lines[0]
    assert result.seconds < LIMIT_S
    assert home.members() == []


def model_command(kind: str, file: Path) -> tuple[str | Path, ...]:
    return ("run", file, "Hello") if kind == "run" else ("serve", "--port", "0", "--model", file)


@pytest.mark.parametrize("kind", ["run", "serve"])
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", ("does not exist", "check the path")),
        ("directory", ("directory", "Choose a .gguf file")),
        ("text", ("not a GGUF", "Choose")),
        ("empty", ("empty", "Download it again")),
        ("truncated", ("damaged or incomplete", "download it again")),
        ("header cut", ("damaged or incomplete", "Download it again")),
        ("unreadable", ("cannot be read", "Check its permissions")),
    ],
)
def test_cli_bad_model_file_is_refused(
    kind: str, case: str, words: tuple[str, ...], home: Home, tmp_path: Path, demo_model: Path
) -> None:
    file = tmp_path / "model.gguf"
    content = demo_model.read_bytes()
    match case:
        case "directory":
            file.mkdir()
        case "text":
            file.write_text("Once upon a time there was a llama.\n" * 100)
        case "empty":
            file.touch()
        case "truncated":
            file.write_bytes(content[: len(content) * 2 // 3])
        case "header cut":
            file.write_bytes(content[:200])
        case "unreadable":
            file.write_bytes(content)
            file.chmod(0)
    result = home.run(*model_command(kind, file), prefix=UNPRIVILEGED)
    # Only a file that is cut off behind its header gets as far as the engine, which does not repeat the name.
    assert_refused(result, home, *words, *([] if case == "truncated" else [str(file)]))


@pytest.mark.parametrize("command", [("run",), ("serve",)], ids=lambda command: command[0])
@pytest.mark.parametrize("mode", [0, 0o555], ids=["unreadable", "read-only"])
def test_cli_data_directory_that_cannot_be_used_is_refused(
    command: tuple[str, ...], mode: int, home: Home, demo_model: Path
) -> None:
    home.data.mkdir()
    home.data.chmod(mode)
    arguments = model_command(command[0], demo_model)
    try:
        result = home.run(*arguments, prefix=UNPRIVILEGED)
    finally:
        home.data.chmod(0o700)
    assert_refused(result, home, str(home.data), "permissions", "--data-dir")
    assert list(home.data.iterdir()) == []


def test_cli_data_directory_that_is_a_file_is_refused(home: Home) -> None:
    home.data.write_text("keep me")
    assert_refused(home.run("serve", "--port", "0"), home, "not a directory", "--data-dir")
    assert home.data.read_text() == "keep me"


def test_cli_explicit_port_in_use_is_refused_by_the_name_of_its_holder(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        result = home.run("serve", "--port", str(port))
    assert_refused(result, home, f"Port {port} is in use by", f"process {os.getpid()}", "choose another port")


@pytest.mark.parametrize("kind", ["run", "serve"])
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", ("does not exist", "engine.path")),
        ("not executable", ("cannot be run", "make it executable")),
        ("directory", ("cannot be run", "make it executable")),
        ("another program", ("which flags it knows", "llama-server")),
        ("no program", ("cannot be run", "llama-server")),
    ],
)
def test_cli_engine_that_cannot_be_used_is_refused(
    kind: str, case: str, words: tuple[str, ...], home: Home, tmp_path: Path, demo_model: Path
) -> None:
    path = tmp_path / "engine" / "llama-server"
    path.parent.mkdir()
    match case:
        case "not executable":
            path.write_text("#!/bin/sh\n")
        case "directory":
            path.mkdir()
        case "another program":
            path.write_text("#!/bin/sh\necho I am another program\n")
            path.chmod(0o755)
        case "no program":
            path.write_text("no program at all\n")
            path.chmod(0o755)
    settings = home.write_settings(f'# mine\n[engine]\npath = "{path}"\n')
    before = settings.read_bytes()
    assert_refused(home.run(*model_command(kind, demo_model)), home, str(path), *words)
    assert settings.read_bytes() == before


@pytest.mark.parametrize("kind", ["run", "serve"])
@pytest.mark.parametrize("engine", ["embedded", "fake"])
def test_cli_flag_that_the_engine_does_not_know_is_refused(
    kind: str, engine: str, home: Home, tmp_path: Path, demo_model: Path
) -> None:
    more = '# mine\narguments = ["--ctx-sise 512"]\n'
    if engine == "fake":
        settings = home.use_engine(fake_engine(tmp_path / "engine"), more)
    else:
        settings = home.write_settings(f"[engine]\n{more}")
    before = settings.read_bytes()
    assert_refused(home.run(*model_command(kind, demo_model)), home, "--ctx-sise", "Did you mean --ctx-size?")
    assert settings.read_bytes() == before


def test_cli_engine_that_dies_while_loading_is_explained(home: Home, tmp_path: Path, demo_model: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", exit_while_loading=1, last_lines=["insufficient memory"]))
    result = home.run("run", demo_model, "Hello")
    assert_refused(result, home, "failed to start server")


def test_cli_second_llamero_on_a_data_directory_is_refused(home: Home) -> None:
    with serving(home, "--port", "0") as first:
        first.url()
        result = home.run("serve", "--port", "0")
        assert result.stderr.count("\n") == 1
        assert f"in use by another Llamero (process {first.process.pid})" in result.stderr
        assert result.status == 1
        assert first.end().status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "203.0.113.7"), ("203.0.113.7 is not an address of this machine",)),
        (("--host", "no such host!"), ("is not an address of this machine",)),
        (("--host", "0.0.0.0"), ("an API key is required", "LLAMERO_API_KEY")),
        (("--api-key-file", "/nowhere/key"), ("/nowhere/key cannot be read",)),
    ],
    ids=["foreign address", "no address", "no key", "no key file"],
)
def test_cli_serve_where_it_may_not_listen_is_refused(
    arguments: tuple[str, ...], words: tuple[str, ...], home: Home
) -> None:
    assert_refused(home.run("serve", "--port", "0", *arguments), home, *words)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("serve", "--port", "70000"), "0 to 65535"),
        (("serve", "--port", "x"), "0 to 65535"),
        (("serve", "--colour", "red"), "--colour"),
        (("sing",), "sing"),
        (("run",), "FILE"),
        (("--log-level", "loud", "doctor"), "loud"),
    ],
    ids=["port too high", "port no number", "unknown option", "unknown command", "no file", "log level"],
)
def test_cli_command_line_that_makes_no_sense_is_a_usage_error(
    arguments: tuple[str, ...], word: str, home: Home
) -> None:
    assert_refused(home.run(*arguments), home, word, status=2)
    assert not home.data.exists()


def test_cli_broken_settings_are_named_and_the_rest_works(home: Home, demo_model: Path) -> None:
    settings = home.write_settings("[gateway\nport = 1\n")
    result = home.run("run", demo_model, "Hello")
    assert result.status == 0
    assert "settings.toml is not valid TOML at line 1" in result.stderr
    assert result.stdout
    assert settings.read_text() == "[gateway\nport = 1\n"


SURPRISING = """
import sys
from llamero.commands import options, serve

def surprise(given):
    options.prepare(given, {}, console_level="warning")
    raise KeyError("nobody thought of this")

serve.serve = surprise
from llamero.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("level", ["info", "debug"])
def test_cli_unexpected_error_is_one_line_and_the_log_has_the_rest(level: str, home: Home) -> None:
    arguments = ["--data-dir", home.data, "--log-level", level, "serve"]
    done = subprocess.run(
        [sys.executable, "-c", SURPRISING, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=home.environment(),
        check=False,
    )
    log = home.data / "logs" / "llamero.log"
    first, _, rest = done.stderr.partition("\n")
    assert done.returncode == 1
    assert first == f"llamero: Something unexpected happened (KeyError); the details are in {log}."
    assert ("Traceback" in rest) == (level == "debug")
    assert rest == "" or level == "debug"
    assert "nobody thought of this" in log.read_text()
