"""What is measured: ratios and differences within one run, so that a slow machine does not change the verdict."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

import msgspec
import psutil

from tests.bench.rigs import EMBEDDED, bare_engine, client, gateway, paced_program, poll_health


class Figure(msgspec.Struct, frozen=True):
    """One line of the table. `bar` is what must hold, as written in the project's goals."""

    name: str
    value: float
    unit: str
    bar: str
    holds: bool


def at_most(name: str, value: float, limit: float, unit: str) -> Figure:
    return Figure(name, value, unit, f"≤ {limit:g}", value <= limit)


def at_least(name: str, value: float, limit: float, unit: str = "×") -> Figure:
    return Figure(name, value, unit, f"≥ {limit:g}", value >= limit)


def load_lag(rounds: int = 9) -> Iterator[Figure]:
    """Spawn to first token: through Llamero, and with the bare engine polled every 5 ms; in turn."""
    ours, bare = [], []
    settings = "[servers]\nkeep_alive_s = 0\n"
    with gateway(settings) as llamero:
        client(llamero.address, 1, 1)  # learns the engine's flags, once per binary
        for _ in range(rounds):
            llamero.wait_until_unloaded()
            ours.append(client(llamero.address, 1, 1)["first_s"])
            begin = time.monotonic()
            with bare_engine(EMBEDDED) as (address, _process):
                poll_health(address, 0.005)
                ready = time.monotonic() - begin
                bare.append(ready + client(address, 1, 1)["first_s"])
    lag_ms = (statistics.median(ours) - statistics.median(bare)) * 1000
    yield Figure("bare engine: spawn to first token", statistics.median(bare) * 1000, "ms", "", True)
    yield at_most("load lag, added", lag_ms, 30, "ms")


def relay_unpaced(pairs: int = 20, tokens: int = 2000) -> Iterator[Figure]:
    """One stream as fast as the engine goes: throughput and time to first token, direct and relayed in turn.

    Both ask one and the same engine: two processes of one program differ by up to a tenth, each for as long as it
    lives. What the rest of the machine does moves single rounds by more than what is looked for, hence many short ones.

    llama.cpp's threads wait for each other by spinning. With one on every core, whatever else runs stalls all of them,
    and the client of the direct stream is one process less: the ratio then measures the scheduler. So the engine
    leaves one core free; the ratio with all cores is printed beside it.
    """
    yield from _unpaced(pairs, tokens, max(1, (os.cpu_count() or 2) - 1), "")
    for figure in _unpaced(pairs // 2, tokens, os.cpu_count() or 2, ", engine on every core"):
        yield Figure(figure.name, figure.value, figure.unit, "", True)


def _unpaced(pairs: int, tokens: int, threads: int, note: str) -> Iterator[Figure]:
    added_first = []
    with gateway(f'[engine]\narguments = ["--threads {threads}"]\n') as llamero:
        client(llamero.address, 1, 1)
        address, key = llamero.engine()
        client(address, 1, 1, key=key)
        cpu, events, ratios = llamero.cpu_s(), 0.0, []
        for turn in range(pairs):
            relayed = client(llamero.address, 1, tokens) if turn % 2 else None
            direct = client(address, 1, tokens, key=key)
            relayed = relayed or client(llamero.address, 1, tokens)
            ratios.append((relayed["events"] / relayed["seconds"]) / (direct["events"] / direct["seconds"]))
            events += relayed["events"]
        cpu = llamero.cpu_s() - cpu
        for _ in range(25):
            direct, relayed = client(address, 1, 1, key=key), client(llamero.address, 1, 1)
            added_first.append((relayed["first_s"] - direct["first_s"]) * 1000)
    name = f"relay, one unpaced stream{note}"
    yield at_least(f"{name}: throughput", statistics.median(ratios), 0.98)
    yield at_most(f"{name}: first token, added p50", statistics.median(added_first), 1.5, "ms")
    yield at_most(f"{name}: CPU per chunk", cpu / events * 1e6, 80, "µs")


def relay_paced(streams: int, seconds: float = 8.0, rate: int = 60) -> Iterator[Figure]:
    """Streams at a fixed rate: how much later each token and a first token arrive, and what a chunk costs."""
    tokens = int(seconds * rate)
    with paced_program() as program, bare_engine([program]) as (address, _process):
        poll_health(address, 0.005)
        with gateway(f'[engine]\npath = "{program}"\n') as llamero:
            client(llamero.address, 1, 1)
            direct = client(address, streams, tokens)
            cpu = llamero.cpu_s()
            relayed = client(llamero.address, streams, tokens)
            cpu = llamero.cpu_s() - cpu
            direct_probed = client(address, streams, tokens, "--probe")
            relayed_probed = client(llamero.address, streams, tokens, "--probe")
    name = f"relay, {streams} paced stream{'s' * (streams > 1)}"
    yield at_most(f"{name}: per token, added p50", relayed["p50_ms"] - direct["p50_ms"], 0.5, "ms")
    yield at_most(f"{name}: per token, added p99", relayed["p99_ms"] - direct["p99_ms"], 10, "ms")
    for quantile, limit in (("p50", 1.5), ("p99", 10)):
        added = relayed_probed[f"probed_{quantile}_ms"] - direct_probed[f"probed_{quantile}_ms"]
        yield at_most(f"{name}: first token, added {quantile}", added, limit, "ms")
    yield at_most(f"{name}: tokens lost", streams * tokens - relayed["tokens"], 0, "")
    yield at_most(f"{name}: CPU per chunk", cpu / relayed["tokens"] * 1e6, 80, "µs")


def serve(idle_s: float = 15.0) -> Iterator[Figure]:
    """`llamero serve` without a model: ready, memory, idle CPU."""
    times = []
    for _ in range(5):
        with gateway() as llamero:
            times.append(llamero.ready_s)
    with gateway() as llamero:
        time.sleep(2)  # what start-up left to do has been done
        tree = [llamero.process, *llamero.process.children(recursive=True)]
        rss = psutil.Process(llamero.process.pid).memory_info().rss
        cpu = llamero.cpu_s()
        time.sleep(idle_s)
        cpu = llamero.cpu_s() - cpu
    yield at_most("serve: start to ready", statistics.median(times), 0.6, "s")
    yield at_most("serve: resident memory", rss / 1e6, 80, "MB")
    yield at_most("serve: idle CPU of a core", cpu / idle_s * 100, 0.3, "%")
    yield Figure("serve: processes", len(tree), "", "", True)
