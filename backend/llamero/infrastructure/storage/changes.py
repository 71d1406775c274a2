"""Notices that the database was changed, by this process or another, without reading it.

SQLite counts the commits of others for every connection (`PRAGMA data_version`). In WAL mode the count is in shared
memory, so asking costs microseconds and no disk, and may be done on the event loop before every request. Nothing less
will do: the log is written before a commit counts, and what it takes to reach the disk lies between, however long.

It must be SQLite that looks, never a file of ours: POSIX drops a process's locks on a file when it is closed once.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from llamero.infrastructure.storage.connections import connect


class ChangeWatch:
    """A connection that only ever asks for the count. For one thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cursor: sqlite3.Cursor | None = None
        self._closed = False

    def count(self) -> int | None:
        """Return a number that is another one after every commit; None where the database cannot be asked just now.

        Take it before reading: what is committed meanwhile is then noticed the next time.
        """
        if self._closed:
            return None
        try:
            if self._cursor is None:
                self._cursor = connect(self._path, 0.0, read_only=True).cursor()
            return int(self._cursor.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            return None

    def close(self) -> None:
        """Give the connection back; nothing can be asked after that."""
        self._closed = True
        if self._cursor is not None:
            self._cursor.connection.close()
            self._cursor = None
