"""The app's side of the guardian: keeps one running while there are children, and tells it about them.

A guardian that dies is replaced and told again; one that cannot be started is reported and tried again with back-off,
because children without a guardian are better than none: the parent-death signal and the sweep are still there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from llamero.infrastructure.packaged import GUARDIAN_ROLE, is_packaged, own_program
from llamero.infrastructure.processes import environment
from llamero.infrastructure.processes.table import Key

logger = logging.getLogger(__name__)

PACKAGE_ROOT = Path(__file__).resolve().parents[3]
BOOT = "import sys; sys.path.insert(0, sys.argv[1]); from llamero.infrastructure.processes.guardian import main; main()"
CLEAN_EXIT_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 30.0


def guardian_command(run: str) -> list[str]:
    """The argv of a guardian for this run. A packaged application starts itself in that role."""
    if is_packaged():
        return [own_program(), GUARDIAN_ROLE, run]
    # Isolated and without site-packages, of which only psutil is needed, and not on Linux.
    flags = ["-I", "-S"] if sys.platform == "linux" else ["-I"]
    return [sys.executable, *flags, "-c", BOOT, str(PACKAGE_ROOT), run]


class Guard:
    """Thread-safe. Nothing is started before the first `ensure`."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._keys: dict[int, Key] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """The guardian's process id, None while there is none."""
        with self._lock:
            return self._process.pid if self._process else None

    def ensure(self) -> None:
        """Start the guardian if there is none. Call it before a child is started, so that no child is without."""
        if sys.platform == "win32":
            return  # the job object does it
        with self._lock:
            if self._watcher is None and not self._closing.is_set():
                self._start()
                self._watcher = threading.Thread(target=self._watch, name="llamero-guard", daemon=True)
                self._watcher.start()

    def add(self, key: Key) -> None:
        """Tell that a child runs."""
        with self._lock:
            self._keys[key.pid] = key
            self._tell(f"+ {key.pid} {key.started}\n")

    def remove(self, pid: int) -> None:
        """Tell that a child's tree is gone."""
        with self._lock:
            if self._keys.pop(pid, None) is not None:
                self._tell(f"- {pid}\n")

    def close(self, *, clean: bool) -> None:
        """Let the guardian go and wait for it. Unless `clean`: then it ends what is left, and nobody waits."""
        self._closing.set()
        with self._lock:
            process = self._process
            if clean:
                self._tell("bye\n")
            if process is not None and process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        if self._watcher is not None and clean:
            self._watcher.join(CLEAN_EXIT_S)
            if self._watcher.is_alive() and process is not None:
                process.kill()
                self._watcher.join()

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(
                guardian_command(self._run),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment.inherited(),
                start_new_session=True,
            )
        except OSError as problem:
            logger.error("no guardian could be started, children may outlive a crash of Llamero: %s", problem)
            self._process = None
            return
        assert self._process.stdin is not None  # noqa: S101 - asked for above
        # A guardian that is stopped must not stop the app with it: a full pipe counts as a dead guardian.
        if sys.platform != "win32":
            os.set_blocking(self._process.stdin.fileno(), False)
        for key in self._keys.values():
            self._tell(f"+ {key.pid} {key.started}\n")

    def _tell(self, line: str) -> None:
        process = self._process
        if process is None or process.stdin is None:
            return
        try:
            os.write(process.stdin.fileno(), line.encode())
        except BlockingIOError:
            process.kill()  # the watcher starts the next one, which is told everything
        except (OSError, ValueError):
            pass  # it has just died: the watcher sees that

    def _watch(self) -> None:
        pause = FIRST_PAUSE_S
        while not self._closing.is_set():
            began = time.monotonic()
            if (process := self._process) is not None:
                process.wait()
                if self._closing.is_set():
                    return
                logger.warning("the guardian ended with status %s and is replaced", process.returncode)
                if process.stdin is not None:
                    with contextlib.suppress(OSError):
                        process.stdin.close()
            if time.monotonic() - began > LONGEST_PAUSE_S:
                pause = FIRST_PAUSE_S
            elif self._closing.wait(pause):
                return
            pause = min(pause * 2, LONGEST_PAUSE_S)
            with self._lock:
                if not self._closing.is_set():
                    self._start()
