"""A gateway that measures its own event loop while a client streams, its inspector on and off by turns.

usage: python -m tests.bench.inspected DATA_DIR TOKENS ROUNDS
Every round has three streams of TOKENS each: recorded, not recorded, and not recorded once more, in an order that
changes. They pass the same process, engine and client, so what differs is the inspector and nothing else; what the two
that are alike differ by is what the machine adds. Prints, for each round, the event loop's CPU time per chunk in µs and
the tokens per second of the three, as JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import AsyncExitStack
from pathlib import Path

from llamero.application import running
from llamero.commands.gateway import open_gateway
from llamero.commands.inspector import open_inspector
from llamero.commands.options import Ground
from llamero.infrastructure.event_loop import new_event_loop
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.infrastructure.settings_store import SettingsStore
from llamero.services.inspection.inspector import Inspector
from llamero.services.inspection.trace import Origin, Trace

ON, OFF, CONTROL = "on", "off", "control"


class Switched:
    """An inspector that can be turned off for one request; as `gateway.inspection.Inspection`."""

    def __init__(self, inspector: Inspector) -> None:
        self.is_on = True
        self.take_ticket = inspector.take_ticket
        self.begun = inspector.begun
        self._begin = inspector.begin

    def begin(self, origin: Origin) -> Trace | None:
        """Record it, or not."""
        return self._begin(origin) if self.is_on else None


async def one_stream(client: Process, tokens: int) -> tuple[float, float]:
    """Let the client read one stream. CPU of this thread per chunk in µs, and tokens per second."""
    assert client.stdin is not None
    assert client.stdout is not None
    gc.collect()
    begin, began = time.thread_time_ns(), time.monotonic()
    client.stdin.write(b"%d\n" % tokens)
    await client.stdin.drain()
    await client.stdout.readline()
    return (time.thread_time_ns() - begin) / tokens / 1000, tokens / (time.monotonic() - began)


async def measure(data_dir: Path, tokens: int, rounds: int) -> None:
    paths = find_paths(data_dir)
    paths.prepare()
    resolved = load_settings(paths.settings_file, {}, {})
    ground = Ground(paths, resolved, SettingsStore(paths.settings_file, {}, {}))
    order = [ON, OFF, CONTROL]
    async with running(paths, resolved) as app, AsyncExitStack() as stack:
        switched = Switched(open_inspector(app, stack))
        gateway = await open_gateway(app, ground, None, stack, switched)
        address = gateway.url.removeprefix("http://")
        argv = [sys.executable, "-m", "tests.bench.steady_client", address]
        client = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE)
        results = []
        for number in range(-2, rounds):  # the first two warm up
            random.shuffle(order)
            found = {}
            for which in order:
                switched.is_on = which == ON
                found[which] = await one_stream(client, tokens)
            if number >= 0:
                results.append(found)
        assert client.stdin is not None
        client.stdin.close()
        await client.wait()
    print(json.dumps(results))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(measure(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))
