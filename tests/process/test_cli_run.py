"""`llamero run`: answers on stdout, a conversation at the terminal, and Ctrl+C that stops the answer only."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.launch import fake_engine, journal
from tests.process.cli import Home, Typist, everyone_gone, serving, until


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


@pytest.fixture
def typists() -> Iterator[list[Typist]]:
    """Those that a test adds are sent home in the end."""
    typists: list[Typist] = []
    yield typists
    for typist in typists:
        typist.close()


def test_cli_run_prompt_is_answered_on_stdout(home: Home, demo_model: Path) -> None:
    result = home.run("run", demo_model, "Hello")
    assert result.status == 0
    assert result.stderr == ""
    assert len(result.stdout.split()) > 5
    assert result.stdout.endswith("\n")
    assert home.members() == []


def test_cli_run_demo_is_the_model_that_comes_along(home: Home) -> None:
    result = home.run("run", "demo", "Hello")
    assert (result.status, result.stderr) == (0, "")
    assert len(result.stdout.split()) > 5


def test_cli_run_reasoning_stays_out_of_a_pipe(home: Home, think_model: Path, tmp_path: Path) -> None:
    result = home.run("run", think_model, "Hello")
    assert (result.status, result.stderr) == (0, "")
    assert result.stdout.strip()
    home.use_engine(fake_engine(tmp_path / "engine", think=True, reply="The answer."))
    result = home.run("run", think_model, "Hello")
    assert (result.status, result.stdout, result.stderr) == (0, "The answer.\n", "")


def test_cli_run_works_beside_a_running_llamero(home: Home, demo_model: Path) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        result = home.run("run", demo_model, "Hello")
        assert (result.status, result.stderr) == (0, "")
        assert server.end().status == 0


def test_cli_run_lines_of_a_pipe_are_answered_one_by_one(home: Home, tmp_path: Path, demo_model: Path) -> None:
    engine = fake_engine(tmp_path / "engine", reply="Yes.")
    home.use_engine(engine)
    result = home.run("run", demo_model, stdin="One?\n\n  \nTwo?\r\nThree?")
    assert (result.status, result.stdout, result.stderr) == (0, "Yes.\nYes.\nYes.\n", "")
    assert len([r for r in journal(engine, "request") if r["path"] == "/v1/chat/completions"]) == 3
    assert everyone_gone(home, engine)


def test_cli_run_empty_pipe_ends_at_once(home: Home, demo_model: Path) -> None:
    result = home.run("run", demo_model)
    assert (result.status, result.stdout, result.stderr) == (0, "", "")


def test_cli_run_prompt_that_is_no_utf8_is_answered(home: Home, demo_model: Path) -> None:
    command = [os.fsencode(word) for word in home.command("run", demo_model)]
    done = subprocess.run([*command, b"caf\xe9"], capture_output=True, env=home.environment(), check=False, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")


def test_cli_run_reader_that_leaves_ends_it_quietly(home: Home, tmp_path: Path, demo_model: Path) -> None:
    engine = fake_engine(tmp_path / "engine", words=100_000, tokens_per_second=200)
    home.use_engine(engine)
    process = subprocess.Popen(
        home.command("run", demo_model, "Hello"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=home.environment(),
    )
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.read(1)
    process.stdout.close()
    assert process.wait(10) == 141
    assert process.stderr.read() == b""
    process.stderr.close()
    assert everyone_gone(home, engine)


def reads_its_input(pid: int) -> bool:
    """Is the main thread in a system call on its standard input? As in Linux' proc(5)."""
    return re.match(r"\d+ 0x0 ", Path(f"/proc/{pid}/syscall").read_text(encoding="ascii")) is not None


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"])
@pytest.mark.parametrize("state", ["loading", "waiting for a line", "answering"])
def test_cli_run_asked_to_end_leaves_nothing(
    state: str, number: int, status: int, home: Home, tmp_path: Path, demo_model: Path
) -> None:
    """A pipe that nobody writes to blocks its reader for ever, but not the end."""
    switches: dict[str, dict[str, Any]] = {
        "loading": {"load_seconds": 60},
        "answering": {"words": 100_000, "tokens_per_second": 100},
        "waiting for a line": {"reply": "Yes."},
    }
    engine = fake_engine(tmp_path / "engine", **switches[state])
    home.use_engine(engine)
    process = subprocess.Popen(
        home.command("run", demo_model, *(["Hello"] if state == "answering" else [])),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=home.environment(),
    )
    assert process.stdout is not None
    match state:
        case "loading":
            until(lambda: journal(engine, "loading"))
        case "answering":
            process.stdout.read(20)
        case _:
            assert process.stdin is not None
            process.stdin.write(b"Hello\n")
            process.stdin.flush()
            assert process.stdout.readline()
            # A signal in the moment before it reads would be heard after the line, which never comes.
            until(lambda: reads_its_input(process.pid), what="it reads")
    process.send_signal(number)
    # Not by communicate(), which would close the pipe.
    assert process.wait(30) == status
    _, stderr = process.communicate()
    assert b"Traceback" not in stderr and b"Exception ignored" not in stderr
    assert everyone_gone(home, engine)


def test_cli_run_conversation_at_a_terminal(
    home: Home, tmp_path: Path, demo_model: Path, typists: list[Typist]
) -> None:
    engine = fake_engine(tmp_path / "engine", reply="I am a llama.")
    home.use_engine(engine)
    typist = Typist(home, "run", demo_model)
    typists.append(typist)
    banner = typist.see(r"> $")
    assert re.search(r"demo-2.*\d+ tokens.*Ctrl\+D", banner)
    typist.type("Who are you?\r")
    shown = typist.see(r"> $")
    assert "I am a llama." in shown
    assert re.search(r"\d+ tokens, [\d.]+ tokens/s", shown)
    assert "Ctrl+D" in typist.interrupt(r"> $")
    typist.type("/clear\r")
    assert "anew" in typist.see(r"> $")
    typist.type(Typist.CTRL_D)
    assert typist.leave() == 0
    assert everyone_gone(home, engine)


def test_cli_run_ctrl_c_stops_the_answer_and_not_the_session(
    home: Home, tmp_path: Path, demo_model: Path, typists: list[Typist]
) -> None:
    engine = fake_engine(tmp_path / "engine", words=100_000, tokens_per_second=50)
    home.use_engine(engine)
    typist = Typist(home, "run", demo_model)
    typists.append(typist)
    typist.see(r"> $")
    for _ in range(2):
        typist.type("Tell me everything.\r")
        typist.see(r"everything\.\r\n(\S+ ){5}")
        typist.type(Typist.CTRL_C)
        assert "Stopped." in typist.see(r"Stopped\.(?s:.)*> $")
    until(lambda: len(journal(engine, "client-gone")) == 2, what="the engine is told to stop, too")
    assert len(journal(engine, "started")) == 1
    typist.type("/bye\r")
    assert typist.leave() == 0
    assert everyone_gone(home, engine)


def test_cli_run_error_is_said_and_the_session_goes_on(
    home: Home, tmp_path: Path, demo_model: Path, typists: list[Typist]
) -> None:
    engine = fake_engine(tmp_path / "engine", error_after_chunks=2, words=10)
    home.use_engine(engine)
    typist = Typist(home, "run", demo_model)
    typists.append(typist)
    typist.see(r"> $")
    typist.type("Hello\r")
    assert "llamero: error connecting" in typist.see(r"llamero: (?s:.)*> $")
    typist.type("/bye\r")
    assert typist.leave() == 0


def test_cli_run_answer_cannot_steer_the_terminal(
    home: Home, tmp_path: Path, demo_model: Path, typists: list[Typist]
) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", reply="a\x1b]0;title\x07b\x1b[2Jc\x9bd"))
    typist = Typist(home, "run", demo_model)
    typists.append(typist)
    typist.see(r"> $")
    typist.type("Hello\r")
    shown = typist.see(r"d\r\n(?s:.)*> $")
    assert "\x1b]" not in shown and "\x07" not in shown and "\x1b[2J" not in shown and "\x9b" not in shown
    assert "title" in shown
    typist.type(Typist.CTRL_D)
    assert typist.leave() == 0


def test_cli_run_reasoning_is_shown_to_people(
    home: Home, tmp_path: Path, demo_model: Path, typists: list[Typist]
) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", think=True, reply="So."))
    typist = Typist(home, "run", demo_model, "Hello")
    typists.append(typist)
    shown = typist.see(r"tokens/s")
    assert "\x1b[2m" in shown and re.search(r"\x1b\[0m(\s)*So\.", shown)
    assert typist.leave() == 0
