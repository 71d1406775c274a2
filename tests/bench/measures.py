"""What is measured: ratios and differences within one run, so that a slow machine does not change the verdict."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

import msgspec
import psutil

from tests.bench.rigs import (
    EMBEDDED,
    BareProxy,
    Gateway,
    bare_engine,
    bare_proxy,
    client,
    gateway,
    paced_program,
    poll_health,
)


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

    The engine is as it starts by itself, with a thread on every core. Beside it, the same with the engine kept on one
    core, so that the other one is for whoever reads. Only limiting its threads does not do that: llama.cpp hands every
    token from one thread to another, which takes 130 µs on one core and 190 on two, and how busy the reader is decides
    which it will be; the ratio then measures the scheduler.
    """
    yield from _unpaced(pairs, tokens, "", one_core=False)
    if hasattr(os, "sched_setaffinity"):
        yield from _unpaced(pairs // 2, tokens, ", engine kept on one core", one_core=True)


def _unpaced(pairs: int, tokens: int, note: str, *, one_core: bool) -> Iterator[Figure]:
    added_first = []
    settings = '[engine]\narguments = ["--threads 1"]\n' if one_core else ""
    with gateway(settings) as llamero:
        client(llamero.address, 1, 1)
        engine = llamero.engine()
        address, key = engine.address, engine.key
        client(address, 1, 1, key=key)
        if one_core:
            engine.keep_on_one_core()
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


def relay_paced(streams: int, turns: int = 3, seconds: float = 4.0, rate: int = 60) -> Iterator[Figure]:
    """Streams at a fixed rate: how much later each token and a first token arrive, and what a chunk costs.

    Direct and relayed in turn; of several turns the median counts, since what else the machine does comes and goes.
    Beside the cost of a chunk that of a proxy that only reads and writes: what a wake-up costs, and what is ours.
    """
    tokens = int(seconds * rate)
    added: dict[str, list[float]] = {name: [] for name in ("p50_ms", "p99_ms", "probed_p50_ms", "probed_p99_ms")}
    ours, floor = Cost(), Cost()
    with paced_program(rate) as program, bare_engine([program]) as (address, _process):
        poll_health(address, 0.005)
        with gateway(f'[engine]\npath = "{program}"\n') as llamero, bare_proxy(address) as proxy:
            client(llamero.address, 1, 1)
            for _ in range(turns):
                direct = client(address, streams, tokens)
                relayed = ours.of(llamero, streams, tokens)
                floor.of(proxy, streams, tokens)
                direct |= _probed(client(address, streams, tokens, "--probe"))
                relayed |= _probed(client(llamero.address, streams, tokens, "--probe"))
                for name, values in added.items():
                    values.append(relayed[name] - direct[name])
    later = {name: statistics.median(values) for name, values in added.items()}
    name = f"relay, {streams} paced stream{'s' * (streams > 1)}"
    yield at_most(f"{name}: per token, added p50", later["p50_ms"], 0.5, "ms")
    yield at_most(f"{name}: per token, added p99", later["p99_ms"], 10, "ms")
    yield at_most(f"{name}: first token, added p50", later["probed_p50_ms"], 1.5, "ms")
    yield at_most(f"{name}: first token, added p99", later["probed_p99_ms"], 10, "ms")
    yield at_most(f"{name}: tokens lost", turns * streams * tokens - ours.chunks, 0, "")
    yield at_most(f"{name}: CPU per chunk", ours.each_us, 80, "µs")
    yield Figure(f"{name}: CPU per chunk of a bare proxy", floor.each_us, "µs", "", True)


class Cost:
    """What relaying chunks costs, summed up."""

    def __init__(self) -> None:
        self.cpu_s = 0.0
        self.chunks = 0.0

    def of(self, relay: Gateway | BareProxy, streams: int, tokens: int) -> dict[str, float]:
        """Have streams relayed, and return what the client says of them."""
        before = relay.cpu_s()
        result = client(relay.address, streams, tokens)
        self.cpu_s += relay.cpu_s() - before
        self.chunks += result["tokens"]
        return result

    @property
    def each_us(self) -> float:
        """CPU time per chunk in µs."""
        return self.cpu_s / self.chunks * 1e6


def _probed(result: dict[str, float]) -> dict[str, float]:
    return {name: value for name, value in result.items() if name.startswith("probed_")}


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
