"""Small real programs that stand in for an engine."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from llamero.models.llama import Engine, EngineKind


def write_program(path: Path, body: str) -> Path:
    """An executable file that runs `body` as Python. It is renamed into place: a file still open cannot be started."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(f"#!{sys.executable}\nimport os, sys\n{body}\n", encoding="utf-8")
    partial.chmod(0o755)
    partial.replace(path)
    return path


def program_engine(path: Path, body: str) -> Engine:
    return Engine(EngineKind.SETTINGS, (str(write_program(path, body)),))


def is_alive(pid: int) -> bool:
    """Is there such a process, and is it more than a zombie?"""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


async def until(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition outside of this process; fails after `seconds`."""
    for _ in range(int(seconds * 100)):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"not within {seconds:g} s")
