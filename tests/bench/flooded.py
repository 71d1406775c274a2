"""A Llamero with its page, whose engine writes without end, and which measures its own event loop; run by `flood`.

usage: python -m tests.bench.flooded DATA_DIR SECONDS
Prints the page's address, waits for a line on stdin, starts the demo model, and prints what it measured as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path

import psutil

from llamero.application import demo_model, running
from llamero.bridge.origin import open_origin
from llamero.commands.front import open_front
from llamero.commands.inspector import open_inspector
from llamero.commands.page import open_page
from llamero.infrastructure.event_loop import new_event_loop
from llamero.infrastructure.logs import configure_logging
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from tests.fakes.settings import settings_in

TICK_S = 0.002
WARM_UP_S = 2.0


async def measure(data_dir: Path, seconds: float) -> None:
    paths = find_paths(data_dir)
    paths.prepare()
    configure_logging("info", paths.logs, "critical")
    async with running(paths, load_settings(paths.settings_file, {}, {})) as app, AsyncExitStack() as stack:
        front = await open_front(open_origin(), stack)
        settings = settings_in(data_dir)
        page = await open_page(app, stack, front, open_inspector(app, stack), settings, gateway=lambda: None)
        page.put_behind(front)
        print(front.origin.url, flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        calm = await lags(seconds)
        await app.llama.start(app.catalog.add_file(demo_model()))
        await lags(WARM_UP_S)  # what a first line costs is not a flood's
        before = rss()
        flooded = await lags(seconds)
        grown = rss() - before
        await app.llama.stop()
    figures = {"calm_p99_ms": p99(calm), "p99_ms": p99(flooded), "longest_ms": max(flooded) * 1000, "grown_mb": grown}
    print(json.dumps(figures), flush=True)


async def lags(seconds: float) -> list[float]:
    """How much later than asked the loop came back, tick by tick."""
    late = []
    end = time.monotonic() + seconds
    while (began := time.monotonic()) < end:
        await asyncio.sleep(TICK_S)
        late.append(time.monotonic() - began - TICK_S)
    return late


def p99(late: list[float]) -> float:
    return sorted(late)[int(len(late) * 0.99)] * 1000


def rss() -> float:
    return float(psutil.Process().memory_info().rss / 1e6)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(measure(Path(sys.argv[1]), float(sys.argv[2])))
