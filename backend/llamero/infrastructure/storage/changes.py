"""Notices that the database was changed, by this process or another, without reading it.

SQLite counts the commits of others for every connection (`PRAGMA data_version`). In WAL mode the count is in shared
memory, so asking costs microseconds and no disk, and may be done on the event loop before every request. On Linux it is
not even asked while the log looks as it did: every commit is written there, and a write leaves its time. A time is only
good for telling the next write apart once it is older than a tick of the kernel's clock, so until then SQLite is asked.

Nothing here opens a file but SQLite: POSIX drops a process's locks on a file when it is closed once.
"""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from pathlib import Path

from llamero.infrastructure.storage.connections import connect

_SETTLED_NS = 100_000_000  # much more than a tick, which is 10 ms at most

_Looks = tuple[int, int, int]  # inode, size, time of the last write in nanoseconds


class ChangeWatch:
    """A connection that only ever asks for the count. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = f"{path}-wal"
        self._settled: tuple[_Looks, int] | None = None
        self._cursor: sqlite3.Cursor | None = None
        self._closed = False

    def count(self) -> int | None:
        """Return a number that is another one after every commit; None where the database cannot be asked just now.

        Take it before reading: what is committed meanwhile is then noticed the next time.
        """
        if self._closed:
            return None
        now, looks = time.time_ns(), self._looks()
        if self._settled is not None and looks == self._settled[0]:
            return self._settled[1]
        try:
            if self._cursor is None:
                self._cursor = connect(self._path, 0.0, read_only=True).cursor()
            count = int(self._cursor.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return None
        self._settled = (looks, count) if looks is not None and now - looks[2] > _SETTLED_NS else None
        return count

    def _looks(self) -> _Looks | None:
        """How the log looks; None where there is none, or where nobody says when it was written last."""
        if sys.platform != "linux":
            return None
        try:
            status = os.stat(self._log)  # noqa: PTH116 - several times per request
        except OSError:
            return None
        return (status.st_ino, status.st_size, status.st_mtime_ns)

    def close(self) -> None:
        """Give the connection back; nothing can be asked after that."""
        self._closed = True
        if self._cursor is not None:
            self._cursor.connection.close()
            self._cursor = None
