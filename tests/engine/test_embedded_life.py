"""How the embedded engine starts, fails and ends: exit codes and last words as llama-server's, and never a wait."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llamero.infrastructure.llama.embedded_flags import TABLE
from llamero.infrastructure.llama.holding import HOLD_VARIABLE
from tests.engine.embedded_engine import COMMAND, environment, run_to_end, running_engine, wait_for

STOPS = [signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", STOPS)
def test_engine_signalled_while_a_client_streams_exits_with_0_at_once(
    number: signal.Signals, demo_model: Path, tmp_path: Path
) -> None:
    with running_engine(demo_model, tmp_path) as engine:
        # The reader takes one line and no more, which holds llama.cpp's own shutdown for ever.
        with engine.stream(ignore_eos=True, max_tokens=100_000) as lines:
            assert next(lines).startswith("data: ")
            before = time.monotonic()
            engine.process.send_signal(number)
            assert engine.process.wait(timeout=10) == 0
        assert time.monotonic() - before < 0.5


@pytest.mark.parametrize("number", STOPS)
def test_engine_signalled_when_idle_exits_with_0(number: signal.Signals, demo_model: Path, tmp_path: Path) -> None:
    with running_engine(demo_model, tmp_path) as engine:
        engine.process.send_signal(number)
        assert engine.process.wait(timeout=10) == 0
        assert engine.process.stdout is not None
        assert engine.process.stdout.read() == b""


def test_engine_signalled_on_another_thread_than_its_main_one_exits_with_0(demo_model: Path, tmp_path: Path) -> None:
    # A signal that comes just before the main thread goes to sleep looks the same to it: nothing wakes the thread.
    with running_engine(demo_model, tmp_path) as engine:
        pid = engine.process.pid
        other = next(int(task.name) for task in Path(f"/proc/{pid}/task").iterdir() if int(task.name) != pid)
        assert ctypes.CDLL(None).tgkill(pid, other, int(signal.SIGTERM)) == 0
        assert engine.process.wait(timeout=10) == 0


@pytest.mark.parametrize("number", STOPS)
def test_engine_signalled_while_a_model_loads_exits_with_0_at_once(
    number: signal.Signals, demo_model: Path, tmp_path: Path
) -> None:
    # A pipe that nobody writes to keeps the compiled code inside of reading the file, as a slow disk does.
    slow = tmp_path / "slow.gguf"
    os.mkfifo(slow)
    del demo_model
    with running_engine(slow, tmp_path, ready=False) as engine:
        wait_for(lambda: "loading model" in engine.log, what="loading")
        assert engine.process.poll() is None
        before = time.monotonic()
        engine.process.send_signal(number)
        assert engine.process.wait(timeout=10) == 0
        assert time.monotonic() - before < 0.5


def test_engine_whose_parent_is_killed_is_gone(demo_model: Path, tmp_path: Path) -> None:
    log = tmp_path / "engine.log"
    code = (
        "import os, subprocess, sys\n"
        "os.environ['LLAMERO_PARENT_PID'] = str(os.getpid())\n"
        f"child = subprocess.Popen(sys.argv[1:], stderr=open({str(log)!r}, 'wb'))\n"
        "print(child.pid, flush=True)\n"
        "child.wait()\n"
    )
    command = [sys.executable, "-c", code, *COMMAND, "--model", str(demo_model), "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment()) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        wait_for(lambda: b"server is listening" in log.read_bytes(), what="readiness")
        parent.kill()
    try:
        wait_for(lambda: not _runs(child), seconds=1.0, what="the end of the engine")
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)


def _runs(pid: int) -> bool:
    """A killed process may stay in the table as a zombie until the system's first process looks."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def test_engine_whose_parent_is_already_gone_ends_by_itself(demo_model: Path) -> None:
    ended = run_to_end("--model", demo_model, "--port", "0", LLAMERO_PARENT_PID="1" if os.getpid() != 1 else "2")
    assert ended.returncode == 1


@contextlib.contextmanager
def held_engine(model: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An engine that has done all it can before the word to load its model, which is given on stdin."""
    command = [*COMMAND, "--model", str(model), "--port", "0", "--no-ui"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(**{HOLD_VARIABLE: "1"})
    ) as process:
        try:
            wait_for(lambda: "pipe" in Path(f"/proc/{process.pid}/wchan").read_text(), what="the wait for the word")
            yield process
        finally:
            process.kill()


def test_held_engine_loads_its_model_at_the_word(demo_model: Path, tmp_path: Path) -> None:
    model = tmp_path / "comes later.gguf"
    with held_engine(model) as process:
        model.symlink_to(demo_model)
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        assert any(b"server is listening" in line for line in process.stderr)


def test_held_engine_whose_owner_goes_without_a_word_ends(demo_model: Path) -> None:
    with held_engine(demo_model) as process:
        assert process.stdin is not None and process.stderr is not None
        process.stdin.close()
        assert process.wait(timeout=10) == 0
        assert b"load" not in process.stderr.read()


@pytest.mark.parametrize("number", STOPS)
def test_held_engine_signalled_exits_with_0_at_once(number: signal.Signals, demo_model: Path) -> None:
    with held_engine(demo_model) as process:
        process.send_signal(number)
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("flag", ["--nope", "-x", "stray", "--ctx-size=4096", "--override-kv", "--device"])
def test_engine_with_an_unknown_flag_names_it_and_exits_with_1(flag: str) -> None:
    ended = run_to_end("--model", "x.gguf", flag)
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"error: invalid argument: {flag}"
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (("--ctx-size",), "expected value for argument"),
        (("--ctx-size", "many"), "expected a whole number"),
        (("--port", "70000"), "expected a whole number from 0 to 65535"),
        (("--temp", "nan"), "expected a number"),
        (("--pooling", "some"), "expected one of none, mean"),
        (("--chat-template-file", "/dev/null/template"), "Not a directory"),
        (("--chat-template-kwargs", "[]"), "expected a JSON object"),
        (("--slot-save-path", "/dev/null/slots"), "not a folder"),
        (("--lora-scaled", "a.gguf"), "expected FILE:SCALE"),
        (("--tensor-split", "a"), "expected a number"),
        (("--api-key-file", "/dev/null"), "no key in"),
    ],
)
def test_engine_with_a_bad_value_names_flag_and_reason(flags: tuple[str, ...], reason: str) -> None:
    ended = run_to_end("--model", "x.gguf", *flags)
    assert ended.returncode == 1
    assert f'"{flags[0]}"' in ended.stderr
    assert reason in ended.stderr
    assert "Traceback" not in ended.stderr


def test_engine_with_a_bad_variable_names_it() -> None:
    ended = run_to_end("--model", "x.gguf", LLAMA_ARG_CTX_SIZE="huge")
    assert ended.returncode == 1
    assert 'environment variable "LLAMA_ARG_CTX_SIZE"' in ended.stderr


def test_engine_without_a_model_says_so() -> None:
    ended = run_to_end("--port", "0")
    assert (ended.returncode, ended.stderr) == (1, "error: --model is required\n")


def _write_bad_files(folder: Path, good: bytes) -> None:
    (folder / "empty.gguf").write_bytes(b"")
    (folder / "text.gguf").write_text("This is no model.\n" * 100)
    (folder / "header.gguf").write_bytes(good[:2000])
    (folder / "tensors.gguf").write_bytes(good[: len(good) // 2])
    (folder / "version.gguf").write_bytes(good[:4] + struct.pack("<I", 99) + good[8:])
    (folder / "folder.gguf").mkdir()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.gguf", "failed to open GGUF file"),
        ("empty.gguf", "failed to read magic"),
        ("text.gguf", "invalid magic characters"),
        ("header.gguf", "failed to read key-value pairs"),
        ("tensors.gguf", "is not within the file bounds"),
        ("version.gguf", "version 99"),
        ("folder.gguf", "failed to read magic"),
    ],
)
def test_engine_with_a_bad_file_exits_with_1_and_the_reason(
    name: str, reason: str, demo_model: Path, tmp_path: Path
) -> None:
    _write_bad_files(tmp_path, demo_model.read_bytes())
    ended = run_to_end("--model", tmp_path / name, "--port", "0")
    assert ended.returncode == 1
    assert reason in ended.stderr
    assert ended.stderr.rstrip().endswith("exiting due to model loading error")
    assert ended.stdout == ""


def test_engine_on_a_taken_port_names_it_and_exits_with_1(demo_model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = run_to_end("--model", demo_model, "--port", str(port))
    assert ended.returncode == 1
    assert f"couldn't bind HTTP server socket, hostname: 127.0.0.1, port: {port}" in ended.stderr


def test_help_lists_every_flag_in_llama_servers_layout() -> None:
    ended = run_to_end("--help", LLAMA_ARG_PORT="not read for help")
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert "----- common params -----" in lines
    assert "----- sampling params -----" in lines
    assert "----- example-specific params -----" in lines
    shown = {name for line in lines if line.startswith("-") for name in re.findall(r"(?<![\w-])--?[\w-]+", line[:60])}
    assert {name for flag in TABLE for name in (*flag.names, *flag.off)} <= shown
    assert all(line[:40].strip() == "" or line.startswith("-") for line in lines if line)
    assert all(line[39] == " " for line in lines if len(line) > 40 and line[40] != " " and line[:40].strip() == "")


def test_version_is_llama_cpps_build_and_goes_to_stderr() -> None:
    ended = run_to_end("--version")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert re.match(r"version: \d{4,} \(xllamacpp ", ended.stderr)


def test_list_devices_goes_to_stdout() -> None:
    ended = run_to_end("--list-devices")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "Available devices:"


def test_help_does_not_load_the_compiled_module_or_ours() -> None:
    code = (
        "import sys; sys.argv = ['x', '--help']\n"
        "from llamero.infrastructure.llama import embedded\n"
        "embedded.main()\n"
        "sys.stderr.write(' '.join(sorted({name.split('.')[0] for name in sys.modules})))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20)
    assert not {"xllamacpp", "msgspec", "aiohttp", "asyncio"} & set(ended.stderr.split())
