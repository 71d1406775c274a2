"""What the request inspector costs the relay: one gateway records every third stream, and counts what each costs it.

Two gateways differ by several percent for reasons of their own, such as where their memory lies, and so do two minutes
of a machine. So streams of one process are compared with their neighbors, by the CPU time of the event loop, which is
what limits a relay. How far two streams are apart that are both not recorded is told beside it: what is measured is
known no better than that. What a chunk costs is measured at a rate at which every chunk arrives alone, the worst that
can be; throughput with an engine that writes as fast as it is read.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.bench.inspected import CONTROL, OFF, ON
from tests.bench.measures import Figure, at_least, at_most
from tests.bench.rigs import REPOSITORY, paced_program

ALONE, UNPACED = 4000, 1_000_000

Round = dict[str, tuple[float, float]]


def inspector() -> Iterator[Figure]:
    """CPU per chunk and unpaced throughput with the inspector on against off."""
    alone = _rounds(ALONE, tokens=2000, rounds=30)
    fast = _rounds(UNPACED, tokens=100_000, rounds=30)
    for name, which in (("off", OFF), ("on", ON)):
        cost = statistics.median(one[which][0] for one in alone)
        yield Figure(f"inspector {name}: CPU per chunk", cost, "µs", "", True)
    yield at_most("inspector on: CPU per chunk, added", _added(alone, ON), 3, "%")
    yield Figure("inspector off twice: CPU per chunk, apart by", _added(alone, CONTROL), "%", "", True)
    yield at_least("inspector on: unpaced throughput", _speed(fast, ON), 0.97)
    yield Figure("inspector off twice: unpaced throughput", _speed(fast, CONTROL), "×", "", True)


def _added(rounds: list[Round], which: str) -> float:
    """Percent that a chunk costs more than where nothing is recorded, in the median of the rounds."""
    return statistics.median(one[which][0] / one[OFF][0] - 1 for one in rounds) * 100


def _speed(rounds: list[Round], which: str) -> float:
    return statistics.median(one[which][1] / one[OFF][1] for one in rounds)


def _rounds(rate: int, tokens: int, rounds: int) -> list[Round]:
    with paced_program(rate) as program, tempfile.TemporaryDirectory() as directory:
        Path(directory, "settings.toml").write_text(f'[engine]\npath = "{program}"\n[gateway]\nport = 0\n')
        argv = [sys.executable, "-m", "tests.bench.inspected", directory, str(tokens), str(rounds)]
        done = subprocess.run(argv, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True, text=True, timeout=300)
    result: list[Round] = json.loads(done.stdout.splitlines()[-1])
    return result
