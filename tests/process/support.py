"""What the process tests share: waiting for conditions, and finding processes independently of the code under test."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from llamero.infrastructure.processes.child import ChildProcess
from llamero.infrastructure.processes.spawner import ProcessSpawner
from llamero.models.llama import Engine
from tests.fakes.launch import REPOSITORY, journal

MARK = "LLAMERO_CHILD"


async def eventually(condition: Callable[[], Any], timeout_s: float = 10.0, what: str = "") -> Any:
    """Wait until the condition holds, and return what it returned."""
    deadline = time.monotonic() + timeout_s
    while not (result := condition()):
        assert time.monotonic() < deadline, f"did not happen within {timeout_s} s: {what or condition}"
        await asyncio.sleep(0.005)
    return result


async def resources() -> dict[str, Any]:
    """Once what is just ending has ended: open descriptors, threads, tasks, children."""
    last: dict[str, Any] = {}

    def same_twice() -> bool:
        nonlocal last
        now = {
            "descriptors": len(list(Path("/proc/self/fd").iterdir())),
            "threads": threading.active_count(),
            "tasks": len(asyncio.all_tasks()),
            "children": len(psutil.Process().children(recursive=True)),
        }
        settled, last = now == last and not any("wait-" in t.name for t in threading.enumerate()), now
        return settled

    await eventually(same_twice)
    return last


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def marked(run: str) -> list[int]:
    """The running processes that carry the run's mark."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(MARK, "").startswith(f"{run}:") and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def guardians(run: str) -> list[int]:
    """The guardians of a run."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.cmdline()[-1:] == [run] and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.pid)
    return found


def involved(engine: Engine) -> set[int]:
    """Every process that the fake engine ever made."""
    return {entry["pid"] for entry in journal(engine)}


def end_all(pids: set[int] | list[int]) -> None:
    """Clean up after a test that failed."""
    for pid in pids:
        with suppress(psutil.Error):
            psutil.Process(pid).kill()


def command_of(engine: Engine) -> list[str]:
    return [*engine.command, "--host", "127.0.0.1", "--port", "0", "--model", "model.gguf"]


@asynccontextmanager
async def running_spawner(directory: Path | None = None) -> AsyncIterator[ProcessSpawner]:
    spawner = ProcessSpawner(directory)
    spawner.start()
    try:
        yield spawner
    finally:
        await spawner.close(grace_s=0)
        assert marked(spawner.run) == []
        assert guardians(spawner.run) == []


async def spawn_engine(spawner: ProcessSpawner, engine: Engine, until: str = "ready") -> ChildProcess:
    """Start a fake engine and wait for an event in its journal."""
    before = len(journal(engine, until))
    child = await spawner.spawn(command_of(engine))
    await eventually(lambda: len(journal(engine, until)) > before, what=until)
    return child


class Host:
    """A small Llamero of its own (`tests.process.host_app`), to be killed."""

    def __init__(self, state: str, directory: Path, engine: Engine | None = None, *, path: str = "") -> None:
        arguments = [state, str(directory), *(command_of(engine) if engine else [])]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.process.host_app", *arguments],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            env={"PATH": path} if path else None,
        )
        assert self.process.stdout is not None
        report = json.loads(self.process.stdout.readline())
        self.run: str = report["run"]
        self.child: int | None = report["child"]
        self.guardian: int | None = report["guardian"]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
