"""Spawning: what a child inherits, how it is told from a failure to start, and what is read from it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from llamero.infrastructure.processes.output import LINE_BYTES, RING_LINES
from llamero.infrastructure.processes.spawner import parent_death_prefix
from tests.fakes.launch import fake_engine, journal
from tests.process.support import command_of, eventually, marked, running_spawner, spawn_engine

SHOW = """
import json, os
descriptors = sorted(os.listdir("/proc/self/fd"))
print(json.dumps([dict(os.environ), descriptors, os.readlink("/proc/self/fd/0"), os.getsid(0)]))
"""


async def test_child_inherits_its_mark_and_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLAMERO_API_KEY", "secret")
    monkeypatch.setenv("UNWANTED", "1")
    async with running_spawner() as spawner:
        child = await spawner.spawn([sys.executable, "-c", SHOW], {"LLAMA_API_KEY": "k", "UNWANTED": None})
        assert await child.wait() == 0
        variables, descriptors, stdin, session = json.loads(child.output.tail(1)[0])
        assert variables["LLAMERO_CHILD"] == child.mark == f"{spawner.run}:1"
        assert variables["LLAMERO_PARENT_PID"] == str(os.getpid())
        assert variables["LLAMA_API_KEY"] == "k"
        assert not {"LLAMERO_API_KEY", "UNWANTED"} & variables.keys()
        assert descriptors[:3] == ["0", "1", "2"]
        assert len(descriptors) == 4, "only the three, and the one that lists them"
        assert stdin == "/dev/null"
        assert session == child.pid


async def test_program_that_cannot_be_started_raises_what_exec_would(tmp_path: Path) -> None:
    not_executable = tmp_path / "data"
    not_executable.write_text("#!/bin/sh\n")
    gibberish = tmp_path / "gibberish"
    gibberish.write_text("echo this must not run\n")
    gibberish.chmod(0o755)
    async with running_spawner() as spawner:
        for program, problem in [
            (str(tmp_path / "missing"), FileNotFoundError),
            ("a-program-that-nobody-has", FileNotFoundError),
            (str(tmp_path), PermissionError),
            (str(not_executable), PermissionError),
            (str(gibberish), OSError),
        ]:
            with pytest.raises(problem):
                await spawner.spawn([program])
        assert spawner.children == ()


async def test_spawn_whose_caller_is_cancelled_leaves_no_child() -> None:
    async with running_spawner() as spawner:
        for _ in range(10):
            starting = asyncio.ensure_future(spawner.spawn(["/bin/sleep", "600"]))
            await asyncio.sleep(0)
            starting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await starting
        following = await spawner.spawn(["/bin/sleep", "600"])  # comes after all of them, on the same thread
        await eventually(lambda: marked(spawner.run) == [following.pid])


async def test_child_dies_with_the_thread_that_started_it_where_linux_can_tell() -> None:
    # What the spawner's one thread is for, and that the prefix works here.
    import subprocess
    import threading

    started: list[subprocess.Popen[bytes]] = []
    may_end = threading.Event()

    def start() -> None:
        started.append(subprocess.Popen([*parent_death_prefix(), "/bin/sleep", "600"]))
        may_end.wait(10)

    thread = threading.Thread(target=start)
    thread.start()
    try:
        await eventually(lambda: started and psutil.Process(started[0].pid).name() == "sleep")
        assert started[0].poll() is None
        may_end.set()
        assert started[0].wait(5) == -signal.SIGKILL
    finally:
        may_end.set()
        thread.join()
        started[0].kill()
        started[0].wait()


@pytest.mark.parametrize("forks", [[], ["double_fork"]])
async def test_child_that_dies_while_starting_tells_status_and_last_lines(forks: list[str], tmp_path: Path) -> None:
    lines = [f"line {number}" for number in range(50)] + ["exiting due to model loading error"]
    engine = fake_engine(tmp_path, fork=forks, last_lines=lines, exit_while_loading=3)
    async with running_spawner() as spawner:
        child = await spawner.spawn(command_of(engine))
        assert await child.wait() == 3
        assert child.output.tail(51) == tuple(lines)
        assert child.output.tail(1) == ("exiting due to model loading error",)
        assert child.returncode == 3


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGKILL, signal.SIGABRT])
async def test_child_that_is_killed_while_starting_tells_the_signal(number: signal.Signals, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, kill_while_loading=int(number))
    async with running_spawner() as spawner:
        child = await spawner.spawn(command_of(engine))
        assert await child.wait() == -number


async def test_exit_is_seen_within_milliseconds() -> None:
    async with running_spawner() as spawner:
        delays = []
        for _ in range(10):
            child = await spawner.spawn(["/bin/sleep", "600"])
            began = time.monotonic()
            os.kill(child.pid, signal.SIGKILL)
            await child.wait()
            delays.append(time.monotonic() - began)
            await child.reap_tree()
        assert sorted(delays)[5] < 0.05


async def test_lines_reach_listener_ring_and_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="llamero.engine")
    seen: list[str] = []
    script = "printf 'one\\r\\n\\033[31mred\\033[0m\\n'; echo three >&2; printf 'no end'"
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sh", "-c", script], on_line=seen.append, name="qwen")
        await child.wait()
        assert child.output.tail() == ("one", "red", "three", "no end")
        assert seen == ["one", "red", "three", "no end"]
        assert "[qwen] red" in caplog.messages


async def test_lines_are_logged_at_their_level_and_one_without_is_seen_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="llamero.engine")

    class Judge:
        def wants(self, line: str) -> bool:
            return line != "own"

        def level_of(self, line: str) -> int:
            return logging.ERROR if line == "bad" else logging.INFO

    seen: list[str] = []
    script = "echo bad; echo own; echo good"
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sh", "-c", script], on_line=seen.append, judge=Judge(), name="qwen")
        await child.wait()
        assert child.output.tail() == tuple(seen) == ("bad", "good")
        logged = [(one.levelno, one.getMessage()) for one in caplog.records if one.name == "llamero.engine"]
        assert logged == [(logging.ERROR, "[qwen] bad"), (logging.INFO, "[qwen] good")]


async def test_listener_that_fails_is_dropped_and_the_output_still_read(caplog: pytest.LogCaptureFixture) -> None:
    def fails(line: str) -> None:
        raise ValueError(line)

    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sh", "-c", "echo one; echo two"], on_line=fails)
        await child.wait()
        assert child.output.tail() == ("one", "two")


async def test_last_output_at_moves_with_the_output(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sh", "-c", f"read line < {fifo}; echo $line; exec sleep 600"])
        quiet_since = child.output.last_output_at
        before = time.monotonic()
        await asyncio.to_thread(fifo.write_text, "now\n")
        await eventually(lambda: child.output.tail() == ("now",))
        assert child.output.last_output_at >= before > quiet_since


async def test_memory_stays_flat_under_a_flood_and_an_endless_line(tmp_path: Path) -> None:
    lines = 0

    def count(line: str) -> None:
        nonlocal lines
        lines += 1
        assert len(line.encode()) <= LINE_BYTES

    engine = fake_engine(tmp_path, flood_mb_per_s=200, long_line_mb=10)
    async with running_spawner() as spawner:
        child = await spawner.spawn(command_of(engine), on_line=count)
        await eventually(lambda: lines > 1_000)
        before = psutil.Process().memory_info().rss
        await eventually(lambda: lines > 200_000, 30)  # 10 MB of lines
        assert psutil.Process().memory_info().rss - before < 16 << 20
        assert len(child.output.tail(10_000)) == RING_LINES


async def test_endless_line_is_cut_and_what_follows_is_read(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, long_line_mb=10)
    async with running_spawner() as spawner:
        before = psutil.Process().memory_info().rss
        child = await spawn_engine(spawner, engine)
        await eventually(lambda: "after the long line" in child.output.tail(3))
        long_line = next(line for line in child.output.tail() if line.startswith("AAAA"))
        assert long_line.endswith("bytes cut]")
        assert len(long_line) <= LINE_BYTES
        assert psutil.Process().memory_info().rss - before < 16 << 20


async def test_event_loop_stays_responsive_during_a_flood(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, flood_mb_per_s=500)
    async with running_spawner() as spawner:
        await spawn_engine(spawner, engine)
        delays = []
        for _ in range(100):
            began = time.monotonic()
            await asyncio.sleep(0.002)
            delays.append(time.monotonic() - began - 0.002)
        assert sorted(delays)[50] < 0.03
        assert journal(engine, "ready")


async def test_child_that_takes_a_word_waits_for_it_on_its_stdin() -> None:
    script = 'echo waits; read line; echo "goes on: $?"; exec sleep 600'
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sh", "-c", script], takes_word=True)
        await eventually(lambda: child.output.tail(2) == ("waits",))
        child.give_word()
        await eventually(lambda: child.output.tail(2) == ("waits", "goes on: 0"))
        child.give_word()
        await child.stop(0)
        child.give_word()
