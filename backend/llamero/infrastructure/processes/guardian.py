"""The guardian: a process of its own that ends Llamero's children when Llamero is gone, however it went.

It holds one end of a pipe; the app holds the other. When the app ends, even by SIGKILL, the kernel closes that end and
the guardian reads the end of file. It then kills every registered tree and whatever carries the run's mark, until
nothing is left, and exits. Lines it is told (ASCII, each ended by a newline):

    + <pid> <started>    this child runs (`started` as in `table.Key`)
    - <pid>              its tree is gone
    bye                  the app ends in order: nothing is left to kill

It inherits nothing but its standard input, leads its own session and ignores the signals by which a terminal or a
service manager ends a group. Run it with the run's mark as its last argument. Standard library alone: see `table`.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator

from llamero.infrastructure.processes.table import Key
from llamero.infrastructure.processes.tree import ProcessTree

TIMEOUT_S = 30.0
# A child that was being started when the app died shows its mark only once its exec is over.
SETTLE_S = 0.3


def main() -> None:
    """Guard until the app is gone."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP", "SIGPIPE"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    registered: dict[int, Key] = {}
    for line in _lines():
        match line.split():
            case ["+", pid, started]:
                registered[int(pid)] = Key(int(pid), int(started))
            case ["-", pid]:
                registered.pop(int(pid), None)
            case ["bye"]:
                return
    ProcessTree(registered.values(), sys.argv[-1], whole_run=True).destroy(TIMEOUT_S, settle_s=SETTLE_S)


def _lines() -> Iterator[str]:
    rest = b""
    while chunk := os.read(0, 65536):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("ascii", "replace")


if __name__ == "__main__":
    main()
