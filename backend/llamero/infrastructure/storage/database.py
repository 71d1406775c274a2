"""The SQLite file: one thread writes, two read beside it, and the event loop never waits for the disk.

WAL mode lets readers see the last commit while the next is being made. Who has been told that a write is done reads it
from then on. After `close` every call raises the same typed error.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from llamero.infrastructure.storage.changes import ChangeWatch
from llamero.infrastructure.storage.connections import connect_reader
from llamero.infrastructure.storage.failures import storage_error
from llamero.infrastructure.storage.migrations import MIGRATIONS
from llamero.infrastructure.storage.opening import open_database
from llamero.infrastructure.storage.writer import Writer
from llamero.models.errors import IoFailed

T = TypeVar("T")
READERS = 2
BUSY_TIMEOUT_S = 1.0


class Database:
    """An open database. Its methods belong to the event loop; the functions given to it run in threads of its own."""

    def __init__(self, path: Path, connection: sqlite3.Connection, busy_timeout_s: float = BUSY_TIMEOUT_S) -> None:
        self.path = path
        self.changes = ChangeWatch(path)
        """Tells, on the event loop and at once, whether anybody has changed the database."""
        self._busy_timeout_s = busy_timeout_s
        self._writer = Writer(connection, path)
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="database-reader")
        self._of_thread = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._closed = False

    @classmethod
    async def open(
        cls, path: Path, *, migrations: Path = MIGRATIONS, busy_timeout_s: float = BUSY_TIMEOUT_S
    ) -> Database:
        """Open the file, made if it is missing and brought to the newest schema after a backup.

        `busy_timeout_s` is how long another program's lock is waited for, here and at every write. Raises IoFailed:
        `storage_error-corrupt`, `-newer`, `-read_only`, `-full`, `-locked` or `-failed`; the file is then unchanged.
        """
        connection = await asyncio.to_thread(open_database, path, migrations, busy_timeout_s)
        return cls(path, connection, busy_timeout_s)

    def write(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> asyncio.Future[T]:
        """Have `work` done in a transaction of its own, in the order of the calls; await the result for its commit.

        `durable`: acknowledged only when it is on the disk. A cancelled wait does not undo the write. `work` may run
        twice, so it changes nothing but the database. Fails with what `work` raises, or with IoFailed.
        """
        return asyncio.wrap_future(self._writer.submit(work, durable=durable))

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Have `work` done on one consistent state of the database. Raises what `work` raises, or IoFailed."""
        if self._closed:
            raise IoFailed("storage_error-closed", path=str(self.path))
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def close(self) -> None:
        """Finish what was begun and close the file; afterwards nothing but the file itself is left beside it."""
        self._closed = True
        self.changes.close()
        await asyncio.to_thread(self._close)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise storage_error(error, self.path) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = connect_reader(self.path, self._busy_timeout_s)
            self._connections.append(connection)
        return connection

    def _close(self) -> None:
        self._readers.shutdown(wait=True)
        while self._connections:  # before the writer's: only the last connection removes the write-ahead log
            self._connections.pop().close()
        self._writer.close()
