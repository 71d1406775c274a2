"""The one thread that writes, and the queue before it.

Invariants: writes are made in the order in which they were handed in; each is told to be done only after its commit,
and one that fails leaves nothing of itself behind and does not touch the others; whoever gives up waiting does not
undo a write. Writes that wait together are committed together, so many at once cost one trip to the disk. A batch that
SQLite refuses as a whole is made again one by one, so a write may be run twice before it counts: it must change the
database only, and nothing else.

A commit that asks for `durable` is on the disk when it is acknowledged; any other survives the process at once, and a
loss of power only after the next durable one or a checkpoint.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import msgspec

from llamero.infrastructure.storage.failures import storage_error
from llamero.models.errors import IoFailed

T = TypeVar("T")
LARGEST_BATCH = 64

logger = logging.getLogger(__name__)


class _Write(msgspec.Struct, frozen=True):
    work: Callable[[sqlite3.Connection], Any]
    durable: bool
    done: Future[Any]


class _Outcome(msgspec.Struct, frozen=True):
    result: Any = None
    error: Exception | None = None


class Writer:
    """Owns the connection that writes; `submit` and `close` may be called from any thread."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._queue: SimpleQueue[_Write | None] = SimpleQueue()
        self._closing = False
        self._lock = threading.Lock()  # so that nothing is queued behind the end
        self._durable: bool | None = None
        # A daemon: a process that ends without closing must not hang, and SQLite survives worse.
        self._thread = threading.Thread(target=self._run, name="database-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[sqlite3.Connection], T], *, durable: bool) -> Future[T]:
        """Have `work` done in a transaction. Raises IoFailed (`storage_error-closed`) after `close`."""
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # from here on nobody can take it back
        with self._lock:
            if self._closing:
                raise IoFailed("storage_error-closed", path=str(self._path))
            self._queue.put(_Write(work, durable, done))
        return done

    def close(self) -> None:
        """Make what was handed in, close the connection and wait for that. Without effect the second time."""
        with self._lock:
            if not self._closing:
                self._closing = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            if batch:
                self._make(batch)
        try:
            self._connection.execute("PRAGMA optimize")
        except sqlite3.Error:
            logger.debug("the database could not be optimized", exc_info=True)
        finally:
            self._connection.close()

    def _next_batch(self) -> tuple[list[_Write], bool]:
        """Wait for a write and take what waits behind it; True when the end was among it."""
        batch: list[_Write] = []
        write = self._queue.get()
        while write is not None:
            batch.append(write)
            if len(batch) == LARGEST_BATCH:
                return batch, False
            try:
                write = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _make(self, batch: Sequence[_Write]) -> None:
        """Make a batch and tell each write what became of it. Never raises."""
        try:
            self._set_durable(any(write.durable for write in batch))
            outcomes = self._commit(batch)
        except Exception as error:
            if len(batch) > 1:
                for write in batch:
                    self._make([write])
                return
            outcomes = [_Outcome(error=error)]
        for write, outcome in zip(batch, outcomes, strict=True):
            if outcome.error is None:
                write.done.set_result(outcome.result)
            else:
                write.done.set_exception(storage_error(outcome.error, self._path))

    def _set_durable(self, durable: bool) -> None:
        if durable != self._durable:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
            self._durable = durable

    def _commit(self, batch: Sequence[_Write]) -> list[_Outcome]:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes = [self._attempt(write) for write in batch]
            connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # SQLite may have rolled back already
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _attempt(self, write: _Write) -> _Outcome:
        """Make one write of a batch; its failure undoes itself alone, unless SQLite gave the transaction up."""
        connection = self._connection
        connection.execute("SAVEPOINT attempt")
        try:
            result = write.work(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO attempt")
            connection.execute("RELEASE attempt")
            return _Outcome(error=error)
        connection.execute("RELEASE attempt")
        return _Outcome(result=result)
