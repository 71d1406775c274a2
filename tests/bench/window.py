"""The window against a bare pywebview window: start, memory, idle CPU. Needs Xvfb; both run on the same screen."""

from __future__ import annotations

import contextlib
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator

import psutil

from tests.bench.measures import Figure, at_most
from tests.bench.rigs import REPOSITORY

BARE = [sys.executable, "-m", "tests.bench.bare_window"]
APP = [sys.executable, "-m", "llamero"]


@contextlib.contextmanager
def screen() -> Iterator[dict[str, str]]:
    """A virtual screen; yields the environment that shows windows on it."""
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x900x24", "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        select.select([reading], [], [], 20)
        number = os.read(reading, 16).decode().strip()
        yield {**os.environ, "DISPLAY": f":{number}", "LLAMERO_GUI": "qt"}
    finally:
        os.close(reading)
        process.terminate()
        process.wait()


def started(command: list[str], environment: dict[str, str]) -> float:
    """Seconds from the start of the process until its page runs."""
    begin = time.monotonic()
    done = subprocess.run(
        command,
        env=environment,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        timeout=60,
        check=True,
    )
    return float(json.loads(done.stdout.splitlines()[-1])["reported_at"]) - begin


def at_rest(command: list[str], environment: dict[str, str], rest_s: float = 10.0) -> tuple[float, float]:
    """MB of PSS and percent of a core of the process tree, some seconds after its page has come."""
    process = subprocess.Popen(
        command, env=environment, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        time.sleep(22)  # start-up has ended, and nobody has touched the window for a while
        tree = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        pss = sum(member.memory_full_info().pss for member in tree) / 1e6
        before = {member.pid: sum(member.cpu_times()[:2]) for member in tree}
        time.sleep(rest_s)
        used = sum(sum(member.cpu_times()[:2]) - before[member.pid] for member in tree if member.is_running())
        return pss, used / rest_s * 100
    finally:
        process.terminate()
        process.wait(30)


def window(rounds: int = 5) -> Iterator[Figure]:
    """Start to interactive, PSS and idle CPU, app and bare window in turn."""
    with screen() as environment, tempfile.TemporaryDirectory() as directory:
        app = [*APP, "--data-dir", directory]
        started([*app, "--selftest"], environment)  # compiles and caches what a second start does not
        started(BARE, environment)
        ratios, times = [], []
        for _ in range(rounds):
            ours, bare = started([*app, "--selftest"], environment), started(BARE, environment)
            ratios.append(ours / bare)
            times.append(ours)
        ours_pss, ours_cpu = at_rest(app, environment)
        bare_pss, bare_cpu = at_rest([*BARE, "--stay"], environment)
    yield Figure("window: start to interactive", statistics.median(times), "s", "", True)
    yield at_most("window: start to interactive ÷ bare window", statistics.median(ratios), 1.5, "×")
    yield at_most("window: PSS of the process tree, added", ours_pss - bare_pss, 60, "MB")
    yield at_most("window: idle CPU of a core, added", ours_cpu - bare_cpu, 0.5, "%")
