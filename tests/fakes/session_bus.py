"""A session bus of a test's own, and a program on it that shows notifications."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

ADDRESS = "DBUS_SESSION_BUS_ADDRESS"


@contextmanager
def session_bus() -> Iterator[str]:
    """Start one; yields its address."""
    command = ["dbus-daemon", "--session", "--nofork", "--print-address=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as bus:
        try:
            assert bus.stdout is not None
            yield bus.stdout.readline().strip()
        finally:
            bus.terminate()


class Shown:
    """What a desktop shows, in order."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def next(self, timeout_s: float = 20.0) -> dict[str, Any]:
        """The next notification."""
        shown: dict[str, Any] = json.loads(self._lines.get(timeout=timeout_s))
        return shown

    def is_empty(self) -> bool:
        return self._lines.empty()

    def _read(self, lines: Any) -> None:
        for line in lines:
            self._lines.put(line)


@contextmanager
def desktop_notifications(address: str, *arguments: str) -> Iterator[Shown]:
    """Show notifications on a bus."""
    command = [sys.executable, "-m", "tests.fakes.notification_daemon", *arguments]
    variables = {**os.environ, ADDRESS: address}
    with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Shown(process)
        finally:
            process.terminate()
