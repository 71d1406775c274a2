"""What the request inspector costs the relay: two gateways, of which one records, take turns with one engine's tokens.

Both gateways live all the time and have a page; they differ in nothing but the one setting. What a chunk costs is
measured at a rate at which every chunk arrives alone; throughput with an engine that writes as fast as it is read, so
that the gateway is what limits the stream.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tests.bench.measures import Figure, at_least, at_most
from tests.bench.rigs import Gateway, client, gateway, paced_program

ALONE, UNPACED = 4000, 1_000_000
OFF = "[inspector]\nmax_requests = 0\n"


def inspector(rounds: int = 9) -> Iterator[Figure]:
    """CPU per chunk and unpaced throughput with the inspector on against off, interleaved.

    CPU is counted in ticks of 10 ms, so a stream takes many of them.
    """
    costs = [(on[1], off[1]) for on, off in _in_turn(rounds, ALONE, 40_000)]
    speeds = [on[0] / off[0] for on, off in _in_turn(2 * rounds, UNPACED, 250_000)]
    on_us, off_us = (statistics.median(cost[side] for cost in costs) for side in (0, 1))
    added = statistics.median((on - off) / off * 100 for on, off in costs)
    yield Figure("inspector off: CPU per chunk", off_us, "µs", "", True)
    yield Figure("inspector on: CPU per chunk", on_us, "µs", "", True)
    yield at_most("inspector on: CPU per chunk, added", added, 3, "%")
    yield at_least("inspector on: unpaced throughput", statistics.median(speeds), 0.97)


def _in_turn(rounds: int, rate: int, tokens: int) -> Iterator[tuple[tuple[float, float], tuple[float, float]]]:
    """What one stream gives with the inspector on and off, again and again, beginning with the one and the other."""
    with paced_program(rate) as program:
        engine = f'[engine]\npath = "{program}"\n'
        with gateway(engine, "--ui") as on, gateway(engine + OFF, "--ui") as off:
            for one in (on, off):
                client(one.address, 1, 100)
            for number in range(rounds):
                measured = {one: _once(one, tokens) for one in ((on, off) if number % 2 else (off, on))}
                yield measured[on], measured[off]


def _once(one: Gateway, tokens: int) -> tuple[float, float]:
    """Chunks per second, and microseconds of CPU per chunk."""
    cpu = one.cpu_s()
    result = client(one.address, 1, tokens)
    cpu = one.cpu_s() - cpu
    return tokens / result["seconds"], cpu / tokens * 1e6
