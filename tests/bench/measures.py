"""What is measured: ratios and differences within one run, so that a slow machine does not change the verdict."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator

import msgspec
import psutil

from tests.bench.rigs import (
    EMBEDDED,
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
            ours.append(client(llamero.address, 1, 1).first_s)
            begin = time.monotonic()
            with bare_engine(EMBEDDED) as (address, _process):
                poll_health(address, 0.005)
                ready = time.monotonic() - begin
                bare.append(ready + client(address, 1, 1).first_s)
    lag_ms = (statistics.median(ours) - statistics.median(bare)) * 1000
    yield Figure("bare engine: spawn to first token", statistics.median(bare) * 1000, "ms", "", True)
    yield at_most("load lag, added", lag_ms, 30, "ms")


def relay_unpaced(pairs: int = 20, tokens: int = 2000) -> Iterator[Figure]:
    """One stream as fast as the engine goes: throughput and time to first token, direct and relayed in turn.

    Both ask one and the same engine: two processes of one program differ by up to a tenth, each for as long as it
    lives. What the rest of the machine does moves single rounds by more than what is looked for, hence many short ones.

    The engine is as it starts by itself, with a thread on every core. Beside it, the same with an engine of one thread
    that stays on one core, so that another one is free for whoever reads. Only limiting its threads does not do that:
    llama.cpp hands every token from one thread to another, which takes 130 µs on one core and 190 on two, and how busy
    the reader is decides which it will be; the ratio then measures the scheduler.
    """
    yield from _unpaced(pairs, tokens, "", one_core=False)
    if hasattr(os, "sched_setaffinity"):
        yield from _unpaced(pairs // 2, tokens, ", engine with one thread on one core", one_core=True)


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
            ratios.append((relayed.events / relayed.seconds) / (direct.events / direct.seconds))
            events += relayed.events
        cpu = llamero.cpu_s() - cpu
        for _ in range(25):
            direct, relayed = client(address, 1, 1, key=key), client(llamero.address, 1, 1)
            added_first.append((relayed.first_s - direct.first_s) * 1000)
    name = f"relay, one unpaced stream{note}"
    yield at_least(f"{name}: throughput", statistics.median(ratios), 0.98)
    yield at_most(f"{name}: first token, added p50", statistics.median(added_first), 1.5, "ms")
    yield at_most(f"{name}: CPU per chunk", cpu / events * 1e6, 80, "µs")


def relay_paced(streams: int, turns: int = 6, seconds: float = 3.0, rate: int = 60) -> Iterator[Figure]:
    """Streams at a fixed rate: how much later each token and a first token arrive, and what a chunk costs.

    Direct, relayed and through a proxy that only reads and writes, in turn, since what else the machine does comes and
    goes. What a chunk costs in the proxy is what being woken costs; the rest is ours.

    Each turn has processes of its own: two of one program differ by up to 0.2 ms at a first token for as long as they
    live, by where they happen to lie in memory.
    """
    tokens = int(seconds * rate)
    direct, ours, floor = Way(), Way(), Way()
    for turn in range(turns):
        with paced_program(rate) as program, bare_engine([program]) as (address, _process):
            poll_health(address, 0.005)
            with gateway(f'[engine]\npath = "{program}"\n') as llamero, bare_proxy(address) as proxy:
                client(llamero.address, streams, rate)  # what is done once was done
                asked = [
                    (direct, address, lambda: 0.0),
                    (ours, llamero.address, llamero.cpu_s),
                    (floor, proxy.address, proxy.cpu_s),
                ]
                for way, at, cpu_s in asked if turn % 2 else reversed(asked):
                    way.stream(at, cpu_s, streams, tokens)
    name = f"relay, {streams} paced stream{'s' * (streams > 1)}"
    for what, limits, here, there in (
        ("per token", (0.5, 10), ours.latencies, direct.latencies),
        ("first token", (1.5, 10), ours.firsts, direct.firsts),
    ):
        for share, limit in zip((0.5, 0.99), limits, strict=True):
            added = quantile(here, share) - quantile(there, share)
            yield at_most(f"{name}: {what}, added p{share * 100:.0f}", added, limit, "ms")
    yield at_most(f"{name}: tokens lost", turns * streams * tokens - len(ours.latencies), 0, "")
    yield at_most(f"{name}: CPU per chunk", ours.cost_us, 80, "µs")
    yield Figure(f"{name}: CPU per chunk of a bare proxy", floor.cost_us, "µs", "", True)


class Way:
    """One way to the engine, and what was seen of it."""

    def __init__(self) -> None:
        self.latencies: list[float] = []
        self.firsts: list[float] = []
        self._spent_s = 0.0

    def stream(self, address: str, cpu_s: Callable[[], float], streams: int, tokens: int) -> None:
        """Have streams come this way, and then the same with first tokens beside them."""
        before = cpu_s()
        self.latencies += client(address, streams, tokens).latencies_ms
        self._spent_s += cpu_s() - before
        self.firsts += client(address, streams, tokens, "--probe").firsts_ms

    @property
    def cost_us(self) -> float:
        """CPU time per token in µs."""
        return self._spent_s / len(self.latencies) * 1e6


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


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
