"""What goes wrong beside serving: exits while loading, forks, floods, an endless line."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

from tests.fakes.fake_llama_server.journal import Journal
from tests.fakes.fake_llama_server.options import Switches


def log(switches: Switches, line: str) -> None:
    """Write one line as llama-server's log does: on stderr, at once."""
    if not switches.silent:
        with contextlib.suppress(OSError):  # nobody reads: llama-server goes on, too
            os.write(2, line.encode() + b"\n")


def wait_for_the_word(journal: Journal) -> None:
    """As the embedded engine does: hold until there is room, where the owner asks for that."""
    if os.environ.get("LLAMERO_HOLD_MODEL"):
        journal.write("held")
        if not os.read(0, 1):
            os._exit(0)


def exit_while_loading(switches: Switches) -> None:
    """End, if that is what this life is for."""
    for line in switches.last_lines:
        log(switches, line)
    if switches.kill_while_loading is not None:
        os.kill(os.getpid(), switches.kill_while_loading)
    if switches.exit_while_loading is not None:
        sys.exit(switches.exit_while_loading)


def fork_descendants(switches: Switches, journal: Journal) -> None:
    """Start the descendants asked for. Called before any thread or loop exists, as fork wants it."""
    for kind in switches.fork:
        # The journal entry must be there when the parent goes on: a test kills as soon as it sees "ready".
        told, tell = os.pipe()
        first = os.fork()
        if first == 0:
            os.close(told)
            _descend(kind, switches, journal, tell)
        os.close(tell)
        os.read(told, 1)
        os.close(told)
        if kind == "double_fork":
            os.waitpid(first, 0)


def _descend(kind: str, switches: Switches, journal: Journal, tell: int) -> None:
    if kind != "same_session":
        os.setsid()
    if kind == "double_fork" and os.fork() > 0:
        os._exit(0)
    for ignored in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(ignored, signal.SIG_IGN)
    signal.alarm(switches.lifetime_s)
    journal.write("forked", kind=kind)
    os.write(tell, b".")
    os.close(tell)
    if switches.fork_forgets_environment:
        os.execve("/bin/sleep", ["sleep", str(switches.lifetime_s)], {})
    while True:
        signal.pause()


def start_output(switches: Switches) -> None:
    """Start whatever writes beside serving. The threads end with the process."""
    if switches.long_line_mb:
        threading.Thread(target=_long_line, args=(switches,), daemon=True).start()
    if switches.flood_mb_per_s:
        threading.Thread(target=_flood, args=(switches,), daemon=True).start()


def _long_line(switches: Switches) -> None:
    piece = b"A" * 65536
    for _ in range(int(switches.long_line_mb * 16)):
        _write_all(2, piece)
    _write_all(2, b"\nafter the long line\n")


def _flood(switches: Switches) -> None:
    descriptor = 1 if switches.flood_stream == "stdout" else 2
    block = b"".join(b"flood line %06d of a program that cannot stop talking\n" % number for number in range(1200))
    began, written = time.monotonic(), 0
    while True:
        _write_all(descriptor, block)
        written += len(block)
        ahead = written / (switches.flood_mb_per_s * 1e6) - (time.monotonic() - began)
        if ahead > 0:
            time.sleep(ahead)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
