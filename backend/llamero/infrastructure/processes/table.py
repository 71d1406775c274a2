"""The system's processes: who they are, when they started, whose children they are and which mark they carry.

A process is named by a `Key`: its id with its start time, because an id alone is reused. The start time is only
compared, never shown: clock ticks since boot on Linux (`starttime` in proc(5), which no clock change moves),
microseconds since the epoch elsewhere. On Linux /proc is read directly, at 10 µs per process and without imports that
the guardian would pay for; elsewhere psutil is asked.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Container
from typing import NamedTuple

MARK_VARIABLE = "LLAMERO_CHILD"


class Key(NamedTuple):
    """One process, and no later one with the same id."""

    pid: int
    started: int


class Entry(NamedTuple):
    """One process in the table. `session` is 0 where the system has none to tell."""

    pid: int
    parent: int
    session: int
    started: int
    zombie: bool

    @property
    def key(self) -> Key:
        """The process's identity."""
        return Key(self.pid, self.started)


if sys.platform == "linux":
    _NEEDLE = b"\0" + MARK_VARIABLE.encode() + b"="

    def processes(without: Container[int] = ()) -> list[Entry]:
        """List every process there is, zombies included, but for those ids that are of no interest."""
        ids = [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
        return [entry for pid in ids if pid not in without and (entry := lookup(pid))]

    def has_children(pid: int) -> bool | None:
        """Tell whether a process has children now; None where the kernel does not say."""
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
                with open(f"/proc/{pid}/task/{thread}/children", "rb", buffering=0) as file:  # noqa: PTH123
                    if file.read(1):
                        return True
        except OSError:
            return None
        return False

    def lookup(pid: int) -> Entry | None:
        """Look one process up; None when there is none."""
        fields = _status(pid)
        if not fields:
            return None
        return Entry(pid, int(fields[1]), int(fields[3]), int(fields[19]), fields[0] in b"ZXx")

    def _status(pid: int) -> list[bytes]:
        """The fields of /proc/<pid>/stat from the third, the state, on; empty when there is no such process."""
        try:
            with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123 - pathlib doubles the guardian
                # The name in parentheses may itself contain parentheses and spaces: what follows the last one counts.
                return file.read().rpartition(b")")[2].split()
        except OSError:
            return []

    def mark_of(entry: Entry) -> str | None:
        """Tell the mark in a process's environment: "" without one, None while it cannot be told.

        A process in the middle of an exec has no environment yet: ask again.
        """
        try:
            with open(f"/proc/{entry.pid}/environ", "rb", buffering=0) as file:  # noqa: PTH123
                data = b"\0"
                while chunk := file.read(1 << 20):
                    data += chunk
        except OSError:
            return ""  # another user's, or gone
        if data == b"\0":
            fields = _status(entry.pid)
            has_memory = bool(fields) and fields[20] != b"0"  # a thread of the kernel has none, and never will
            return None if has_memory else ""
        _, found, rest = data.partition(_NEEDLE)
        return rest.partition(b"\0")[0].decode("ascii", "replace") if found else ""

    def send_signal(key: Key, number: int) -> bool:
        """Signal exactly this process, never a later one with its id. False when it is gone or not ours."""
        try:
            descriptor = os.pidfd_open(key.pid)
        except ProcessLookupError:
            return False
        except OSError:  # no pidfd: a kernel before 5.3, or a sandbox
            return _send_by_number(key, number)
        try:
            # The descriptor names one process for good, so what is verified now cannot be reused before the signal.
            if (entry := lookup(key.pid)) is None or entry.started != key.started:
                return False
            signal.pidfd_send_signal(descriptor, number)
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)

else:
    import psutil

    def processes(without: Container[int] = ()) -> list[Entry]:
        """List every process there is, zombies included, but for those ids that are of no interest."""
        return [entry for pid in psutil.pids() if pid not in without and (entry := lookup(pid))]

    def has_children(pid: int) -> bool | None:
        """Tell whether a process has children now; None: it is not cheaper to know than to scan."""
        return None

    def lookup(pid: int) -> Entry | None:
        """Look one process up; None when there is none."""
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                started = int(process.create_time() * 1e6)
                zombie = process.status() == psutil.STATUS_ZOMBIE
                return Entry(pid, process.ppid(), _session_of(pid), started, zombie)
        except psutil.Error:
            return None

    def mark_of(entry: Entry) -> str | None:
        """Tell the mark in a process's environment: "" without one or when it cannot be read."""
        try:
            return psutil.Process(entry.pid).environ().get(MARK_VARIABLE, "")
        except (psutil.Error, OSError):
            return ""

    def _session_of(pid: int) -> int:
        if sys.platform == "win32":
            return 0
        try:
            return os.getsid(pid)
        except OSError:
            return 0

    def send_signal(key: Key, number: int) -> bool:
        """Signal this process if it is still the one meant. False when it is gone or not ours."""
        return _send_by_number(key, number)


def _send_by_number(key: Key, number: int) -> bool:
    entry = lookup(key.pid)
    if entry is None or entry.started != key.started:
        return False
    try:
        os.kill(key.pid, number)
    except OSError:
        return False
    return True


def is_alive(key: Key) -> bool:
    """Say whether this very process runs; a zombie does not."""
    entry = lookup(key.pid)
    return entry is not None and entry.started == key.started and not entry.zombie
