"""What is written down about running children, so that the next start can end what a power cut of ours left behind.

One file per run, `children-<run>.json`: two Llameros may share a data directory, and neither may forget the other's
children. The file is replaced atomically and removed when a run ends in order.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec

from llamero.infrastructure.processes.table import Key

logger = logging.getLogger(__name__)

RUN_PATTERN = re.compile(r"[0-9a-f]{32}")
PREFIX, SUFFIX = "children-", ".json"


class ChildRecord(msgspec.Struct, frozen=True):
    """One child. `started` is as in `table.Key`; `exe` is for the person who reads the file."""

    pid: int
    started: int
    mark: str
    exe: str


class RunRecord(msgspec.Struct, frozen=True):
    """One run of Llamero: its mark, its own process and its children."""

    run: str
    app: Key
    children: tuple[ChildRecord, ...] = ()


class Records:
    """The file of this run. Thread-safe. A directory that cannot be written is reported once and costs nothing else."""

    def __init__(self, directory: Path | None, run: str, app: Key) -> None:
        self._path = directory / f"{PREFIX}{run}{SUFFIX}" if directory else None
        self._run, self._app = run, app
        self._children: dict[int, ChildRecord] = {}
        self._lock = threading.Lock()

    def open(self) -> None:
        """Write the run down before its first child: descendants are found by the run's mark alone."""
        with self._lock:
            self._write()

    def add(self, child: ChildRecord) -> None:
        """Write a child down."""
        with self._lock:
            self._children[child.pid] = child
            self._write()

    def remove(self, pid: int) -> None:
        """Forget a child whose tree is gone."""
        with self._lock:
            if self._children.pop(pid, None) is not None:
                self._write()

    def close(self) -> None:
        """Remove the file, unless it still names a child."""
        if self._path is not None and not self._children:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _write(self) -> None:
        if self._path is None:
            return
        record = RunRecord(self._run, self._app, tuple(self._children.values()))
        temporary = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(msgspec.json.encode(record))
            temporary.replace(self._path)
        except OSError as problem:
            logger.warning("running engines cannot be written down in %s: %s", self._path.parent, problem)
            self._path = None


def read_records(directory: Path) -> Iterator[tuple[Path, RunRecord]]:
    """Read every run's file. One that makes no sense is set aside as `.bad`, with a warning."""
    for path in sorted(directory.glob(f"{PREFIX}*{SUFFIX}")):
        try:
            record = msgspec.json.decode(path.read_bytes(), type=RunRecord)
            if not RUN_PATTERN.fullmatch(record.run):
                raise msgspec.ValidationError("not the name of a run")
        except (OSError, msgspec.DecodeError) as problem:
            logger.warning("%s cannot be read and is set aside: %s", path, problem)
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(".bad"))
            continue
        yield path, record
