"""The app is killed: nothing of it is left after a second, whatever state it was in."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.infrastructure.processes.guard import Guard, guardian_command
from llamero.infrastructure.processes.table import Key
from tests.fakes.launch import fake_engine, journal
from tests.process.support import Host, end_all, eventually, guardians, involved, is_running, marked, running_spawner

AFTER_S = 1.0
FORKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "same session": {"fork": "same_session"},
    "own session": {"fork": "own_session"},
    "forked twice": {"fork": "double_fork"},
    "every way": {"fork": ["same_session", "own_session", "double_fork"]},
    "forgot the environment": {"fork": ["same_session"], "fork_forgets_environment": True},
}
STATES: dict[str, dict[str, Any]] = {
    "starting": {"load_seconds": 60, "ignore_sigterm": True},
    "ready": {"ignore_sigterm": True},
    "stopping": {"ignore_sigterm": True},
}
WITH_SETPRIV, WITHOUT_SETPRIV = "", "/nowhere"


@pytest.mark.parametrize("path", [WITH_SETPRIV, WITHOUT_SETPRIV], ids=["parent-death signal", "guardian alone"])
@pytest.mark.parametrize("forks", FORKS)
@pytest.mark.parametrize("state", STATES)
async def test_host_killed_leaves_no_process_behind(state: str, forks: str, path: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, **STATES[state], **FORKS[forks])
    host = Host(state, tmp_path / "run", engine, path=path)
    try:
        await eventually(lambda: journal(engine, "loading"))
        if state == "stopping":
            await eventually(lambda: journal(engine, "asked-to-end"))
        everyone = involved(engine)
        assert host.child in everyone
        assert all(is_running(pid) for pid in everyone)
        host.kill()
        await eventually(lambda: not any(map(is_running, everyone)) and not marked(host.run), AFTER_S, "all ended")
        await eventually(lambda: not guardians(host.run), AFTER_S, "the guardian has left, too")
    finally:
        host.kill()
        end_all(involved(engine))


@pytest.mark.parametrize("state", ["idle", "stopped"])
async def test_host_killed_without_a_child_leaves_no_guardian(state: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    host = Host(state, tmp_path / "run", engine)
    assert (host.guardian is None) == (state == "idle")
    host.kill()
    await eventually(lambda: not marked(host.run) and not guardians(host.run), AFTER_S)


@pytest.mark.parametrize("round_number", range(6))
async def test_host_killed_while_spawning_leaves_no_process_behind(round_number: int, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=["double_fork"], silent=True)
    host = Host("spawning", tmp_path / "run", engine, path=WITHOUT_SETPRIV)
    try:
        await asyncio.sleep(round_number * 0.013)  # only to be killed at another point in every round
        host.kill()
        await eventually(lambda: not marked(host.run), AFTER_S)
        await eventually(lambda: not guardians(host.run), AFTER_S)
        assert not any(map(is_running, involved(engine)))
    finally:
        host.kill()
        end_all(involved(engine))


async def test_guardian_killed_is_replaced_and_guards_what_already_runs(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=["same_session"], fork_forgets_environment=True, ignore_sigterm=True)
    host = Host("ready", tmp_path / "run", engine, path=WITHOUT_SETPRIV)
    try:
        first = host.guardian
        assert first is not None
        os.kill(first, signal.SIGKILL)
        second = (await eventually(lambda: [pid for pid in guardians(host.run) if pid != first]))[0]
        assert is_running(host.process.pid)
        await eventually(lambda: ignores(second, signal.SIGTERM), what="the new one has begun")
        host.kill()
        await eventually(lambda: not any(map(is_running, involved(engine))), AFTER_S)
    finally:
        host.kill()
        end_all(involved(engine))


async def test_guardian_is_small_and_holds_nothing_of_the_app() -> None:
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sleep", "600"])
        assert spawner.guardian_pid is not None
        guardian = psutil.Process(spawner.guardian_pid)
        await eventually(lambda: ignores(guardian.pid, signal.SIGTERM))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            assert ignores(guardian.pid, number)
        assert guardian.num_fds() == 3
        assert os.getsid(guardian.pid) == guardian.pid
        assert guardian.cwd() == "/"
        assert "LLAMERO_CHILD" not in guardian.environ()
        assert guardian.memory_info().rss < 20 << 20
        await child.stop(1)


def test_guardian_imports_the_standard_library_alone() -> None:
    *options, program, root, _ = guardian_command("run")
    show = f"{program.removesuffix('main()')}print(*sys.modules)"
    output = subprocess.run([*options, show, root], capture_output=True, text=True, check=True).stdout.split()
    assert not {"psutil", "msgspec", "asyncio", "subprocess", "logging", "pathlib", "dataclasses"} & set(output)
    assert "llamero.infrastructure.processes.guardian" in output


def test_guardian_of_a_frozen_app_is_the_app_in_another_role(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert guardian_command("run") == [sys.executable, "--guardian", "run"]


async def test_guardian_that_is_stopped_does_not_stop_the_app() -> None:
    run = secrets.token_hex(16)
    guard = Guard(run)
    guard.ensure()
    first = guard.pid
    assert first is not None
    os.kill(first, signal.SIGSTOP)
    try:
        for number in range(6000):  # more than a pipe holds; no system has process ids like these
            guard.add(Key(100_000_000 + number, 1))
        for number in range(6000):
            guard.remove(100_000_000 + number)
        await eventually(lambda: guard.pid not in (None, first))
        assert not is_running(first)
    finally:
        guard.close(clean=True)
    assert guardians(run) == []


def ignores(pid: int, number: signal.Signals) -> bool:
    """Whether a process ignores a signal, as the kernel says."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (number - 1) & 1)
