"""`make bench`: measure Llamero against the bare engine in the same run; a table on stdout, JSON in bench.json.

usage: python -m tests.bench [MEASURE …]    (all of MEASURES below, unless some are named)
Exits 0 whatever the figures are: they depend on what else the machine does, and a person reads them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from tests.bench import endurance, flood, inspector, measures, metrics, nvidia, page, window
from tests.bench.measures import Figure

MEASURES: dict[str, Callable[[], Iterator[Figure]]] = {
    "serve": measures.serve,
    "load": measures.load_lag,
    "unpaced": measures.relay_unpaced,
    "paced1": lambda: measures.relay_paced(1),
    "paced8": lambda: measures.relay_paced(8),
    "paced32": lambda: measures.relay_paced(32),
    "connections": endurance.connections,
    "memory": endurance.memory,
    "flood": flood.flood,
    "inspector": inspector.inspector,
    "switching": endurance.switching,
    "metrics": metrics.metrics,
    "nvidia": nvidia.nvidia,
    "window": window.window,
    "page": page.page,
}


def main() -> None:
    figures: list[Figure] = []
    for name in sys.argv[1:] or MEASURES:
        for figure in MEASURES[name]():
            figures.append(figure)
            verdict = "" if not figure.bar else "holds" if figure.holds else "MISSED"
            value = f"{figure.value:.3f} {figure.unit}"
            print(f"{figure.name:<76} {value:>14}  {figure.bar:>8}  {verdict}", flush=True)
    Path("bench.json").write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=1))


if __name__ == "__main__":
    main()
