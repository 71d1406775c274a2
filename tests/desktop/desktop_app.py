"""The app of `tests.fakes.desktop_page` as a process, and everything that it has started."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from llamero.desktop.options import DEBUGGING_VARIABLE

WAIT_S = 30.0
# Where Debian keeps PyGObject, which is no package of PyPI's that needs no compiler.
SYSTEM_PACKAGES = "/usr/lib/python3/dist-packages"


class DesktopApp:
    """One run. Events are the lines that it prints."""

    def __init__(
        self,
        data_dir: Path,
        *arguments: str,
        display: str,
        toolkit: str,
        port: int | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        removed = ("WAYLAND_DISPLAY", "QT_QPA_PLATFORM", "QTWEBENGINE_CHROMIUM_FLAGS", "XAUTHORITY")
        ours = {name: value for name, value in os.environ.items() if name not in removed}
        environment = {**ours, "DISPLAY": display, "LLAMERO_GUI": toolkit, "NO_AT_BRIDGE": "1", **(environment or {})}
        if toolkit == "gtk":
            environment["PYTHONPATH"] = SYSTEM_PACKAGES
        if port is not None:
            environment[DEBUGGING_VARIABLE] = str(port)
        self.log = data_dir.with_suffix(".log").open("ab")
        command = [sys.executable, "-m", "tests.fakes.desktop_page", "--data-dir", str(data_dir), *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, env=environment, text=True, start_new_session=True
        )
        self.seen: list[dict[str, Any]] = []
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def event(self, name: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """The next event of this name; those before it are kept in `seen`."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                event = self._events.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {name!r} within {timeout_s} s; before it: {self.seen}") from None
            assert event is not None, f"the app ended without {name!r}; before it: {self.seen}"
            self.seen.append(event)
            if event.get("event") == name:
                return event

    def tree(self) -> list[psutil.Process]:
        """The process and all that it has started."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def wait(self, timeout_s: float = WAIT_S) -> int:
        """Wait for the end and return the exit status; the rest of the events is in `seen` then."""
        status = self.process.wait(timeout_s)
        self._reader.join(5)
        while not self._events.empty():
            event = self._events.get()
            if event is not None:
                self.seen.append(event)
        return status

    def names(self) -> list[str]:
        return [str(event.get("event")) for event in self.seen]

    def kill(self) -> None:
        """End what is left, however the test ended."""
        for process in self.tree() if self.process.poll() is None else []:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self.process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reader.join(5)
        self.log.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._events.put(json.loads(line))
        self._events.put(None)


@contextmanager
def running_app(data_dir: Path, *arguments: str, **options: Any) -> Iterator[DesktopApp]:
    """An app that is gone at the end."""
    app = DesktopApp(data_dir, *arguments, **options)
    try:
        yield app
    finally:
        app.kill()


def gone(processes: list[psutil.Process], timeout_s: float = 5.0) -> bool:
    """Have all of these ended within the time?"""
    return not psutil.wait_procs(processes, timeout=timeout_s)[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
