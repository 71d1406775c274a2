"""Stopping: whatever the child does, its whole tree is gone within its grace and one second."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.infrastructure.processes.child import ChildProcess
from tests.fakes.launch import fake_engine, journal
from tests.process.support import eventually, involved, is_running, marked, running_spawner, spawn_engine

GRACE_S = 0.3

MISBEHAVIOURS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing wrong": ({}, "ready"),
    "still loading": ({"load_seconds": 60}, "loading"),
    "just started": ({}, "started"),
    "never ready": ({"never_ready": True}, "loading"),
    "silent": ({"silent": True}, "ready"),
    "ignores SIGTERM": ({"ignore_sigterm": True}, "ready"),
    "ignores SIGTERM while loading": ({"ignore_sigterm": True, "load_seconds": 60}, "loading"),
    "slow to exit": ({"exit_delay_s": 60}, "ready"),
    "stopped": ({"stop_itself": True}, "ready"),
    "stopped and ignores SIGTERM": ({"stop_itself": True, "ignore_sigterm": True}, "ready"),
    "forked": ({"fork": "same_session"}, "ready"),
    "forked into its own session": ({"fork": "own_session"}, "ready"),
    "forked twice": ({"fork": "double_fork"}, "ready"),
    "forked in every way": ({"fork": ["same_session", "own_session", "double_fork"], "ignore_sigterm": True}, "ready"),
    "forked and forgot": ({"fork": "same_session", "fork_forgets_environment": True}, "ready"),
    "forked into its own session and forgot": ({"fork": "own_session", "fork_forgets_environment": True}, "ready"),
    "floods": ({"flood_mb_per_s": 100}, "ready"),
    "floods and ignores SIGTERM": ({"flood_mb_per_s": 100, "flood_stream": "stdout", "ignore_sigterm": True}, "ready"),
    "endless line": ({"long_line_mb": 10}, "ready"),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
async def test_stop_of_a_child_that_misbehaves_ends_its_tree_in_time(name: str, tmp_path: Path) -> None:
    switches, until = MISBEHAVIOURS[name]
    engine = fake_engine(tmp_path, **switches)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine, until)
        began = time.monotonic()
        report = await child.stop(GRACE_S)
        assert time.monotonic() - began < GRACE_S + 1
        assert [pid for pid in involved(engine) if is_running(pid)] == []
        assert marked(spawner.run) == []
        assert report.survivors == ()
        assert report.forced == bool({"ignore_sigterm", "exit_delay_s"} & switches.keys())
        assert report.descendants == len(journal(engine, "forked"))
        assert child.returncode == report.exit_status
        if not report.forced and until != "started":
            assert report.exit_status == 0


@pytest.mark.parametrize("kind", ["same_session", "own_session", "double_fork"])
async def test_child_that_dies_by_itself_takes_its_descendants_with_it(kind: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=kind)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine)
        began = time.monotonic()
        os.kill(child.pid, signal.SIGKILL)
        assert await child.wait() == -signal.SIGKILL
        assert time.monotonic() - began < 0.5, "the exit must be seen although somebody holds the pipe"
        report = await child.reap_tree()
        assert report.descendants == 1
        assert not report.forced
        assert [pid for pid in involved(engine) if is_running(pid)] == []


async def test_descendant_in_the_session_without_environment_ends_after_the_child_died(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork="same_session", fork_forgets_environment=True)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine)
        os.kill(child.pid, signal.SIGKILL)
        assert (await child.reap_tree()).descendants == 1
        assert [pid for pid in involved(engine) if is_running(pid)] == []


async def test_stop_called_by_many_at_once_is_one_stop(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, exit_delay_s=0.05)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine)
        reports = await asyncio.gather(*(child.stop(5) for _ in range(10)))
        assert len({id(report) for report in reports}) == 1
        assert len(journal(engine, "asked-to-end")) == 1
        assert await child.stop(5) is reports[0]
        assert await child.wait() == 0


async def test_stop_with_a_shorter_grace_overtakes_a_longer_one(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, ignore_sigterm=True)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine)
        patient = asyncio.ensure_future(child.stop(60))
        await eventually(lambda: journal(engine, "asked-to-end"))
        began = time.monotonic()
        await child.stop(0.1)
        assert (await patient).forced
        assert time.monotonic() - began < 1.1


async def test_stop_whose_caller_is_cancelled_goes_on(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, ignore_sigterm=True)
    async with running_spawner() as spawner:
        child = await spawn_engine(spawner, engine)
        stopping = asyncio.ensure_future(child.stop(0.2))
        await eventually(lambda: journal(engine, "asked-to-end"))
        stopping.cancel()
        async with asyncio.timeout(1.2):
            assert (await child.reap_tree()).forced


async def test_wait_whose_caller_is_cancelled_leaves_the_others_waiting() -> None:
    async with running_spawner() as spawner:
        child = await spawner.spawn(["/bin/sleep", "600"])
        given_up, patient = asyncio.ensure_future(child.wait()), asyncio.ensure_future(child.wait())
        await asyncio.sleep(0)
        given_up.cancel()
        child.kill()
        assert await patient == -signal.SIGKILL


async def test_close_stops_every_child_and_refuses_new_ones(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=["double_fork"], ignore_sigterm=True)
    async with running_spawner(tmp_path / "run") as spawner:
        await spawn_engine(spawner, engine)
        await spawner.spawn(["/bin/sleep", "600"])
        began = time.monotonic()
        await asyncio.gather(spawner.close(GRACE_S), spawner.close(GRACE_S))
        assert time.monotonic() - began < GRACE_S + 1
        assert marked(spawner.run) == []
        assert list((tmp_path / "run").iterdir()) == []
        with pytest.raises(RuntimeError):
            await spawner.spawn(["/bin/sleep", "600"])


async def test_close_of_a_spawner_that_never_started_anything_returns() -> None:
    async with running_spawner() as spawner:
        await spawner.close()


async def test_rounds_of_spawn_and_stop_leak_nothing(tmp_path: Path) -> None:
    async with running_spawner(tmp_path / "run") as spawner:

        async def one_round() -> ChildProcess:
            child = await spawner.spawn(["/bin/sleep", "600"])
            await child.stop(5)
            return child

        def held() -> tuple[int, list[str], int]:
            names = sorted(thread.name for thread in threading.enumerate())
            return psutil.Process().num_fds(), names, len(asyncio.all_tasks())

        await one_round()
        await eventually(lambda: not any(name.startswith(("llamero-wait", "llamero-output")) for name in held()[1]))
        before = held()
        for _ in range(200):
            child = await one_round()
            assert not psutil.pid_exists(child.pid)
        await eventually(lambda: held() == before, what=f"as before: {before}")
        assert spawner.children == ()
        assert marked(spawner.run) == []
        assert not [child for child in psutil.Process().children(recursive=True) if child.name() == "sleep"]


async def test_twenty_children_at_once_start_and_stop() -> None:
    async with running_spawner() as spawner:
        children = await asyncio.gather(*(spawner.spawn(["/bin/sleep", "600"]) for _ in range(20)))
        assert len({child.pid for child in children}) == 20
        # The system lets go of who waits for an exec a moment before the new environment can be read.
        pids = sorted(child.pid for child in children)
        await eventually(lambda: sorted(marked(spawner.run)) == pids)
        reports = await asyncio.gather(*(child.stop(5) for child in children))
        assert {report.exit_status for report in reports} == {-signal.SIGTERM}
        assert marked(spawner.run) == []
