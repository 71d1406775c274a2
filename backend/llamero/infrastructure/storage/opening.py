"""Opening the database: look first, touch afterwards.

Invariants: a file that is damaged, that a newer Llamero wrote or that is locked is not changed by a single byte;
nothing is ever deleted; the database and its copies are for their user alone (0600).

A whole check (`quick_check`) takes about 0.7 ms per MB. It is made where a process may have died while writing (its
write-ahead log is still there), and always while the file is small. SQLite itself sees a file that is too short.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from llamero.infrastructure.storage.connections import connect_to_look, connect_writer, schema_version
from llamero.infrastructure.storage.failures import corrupt, storage_error
from llamero.infrastructure.storage.migrations import MIGRATIONS, Migration, load_migrations, migrate
from llamero.models.errors import IoFailed

_ALWAYS_CHECKED = 64 * 1024 * 1024

logger = logging.getLogger(__name__)


def open_database(path: Path, migrations: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Return the connection that writes, to a database of the newest schema. Blocks.

    Raises IoFailed: `storage_error-corrupt`, `-newer`, `-read_only`, `-full`, `-locked` or `-failed`.
    """
    steps = load_migrations(migrations)
    try:
        _make_or_check(path)
        if path.stat().st_size:
            _inspect(path, steps, busy_timeout_s)
        connection = connect_writer(path, busy_timeout_s)
        try:
            migrate(connection, path, steps)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from error
    return connection


def check_database(path: Path, busy_timeout_s: float) -> bool:
    """Check that a database could be opened, and change nothing; False where there is none yet. Blocks.

    Reads beside a running Llamero, but not in a process that has the database open: POSIX would drop its locks.
    Raises IoFailed as `open_database` does.
    """
    try:
        if not path.exists():
            return False
        os.close(os.open(path, os.O_RDWR))
        _check_place(path)
        if path.stat().st_size:
            _inspect(path, load_migrations(MIGRATIONS), busy_timeout_s)
    except (sqlite3.Error, OSError) as error:
        raise storage_error(error, path) from error
    return True


def _make_or_check(path: Path) -> None:
    """Make the file if it is missing, since SQLite would make it readable for others. Raises IoFailed or OSError."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    _check_place(path)


def _check_place(path: Path) -> None:
    """The write-ahead log lies beside the file. Raises IoFailed."""
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise IoFailed("storage_error-read_only", path=str(path), reason=f"{path.parent} cannot be written")


def _inspect(path: Path, steps: Sequence[Migration], busy_timeout_s: float) -> None:
    """Read whether this is a whole database that we know. Raises IoFailed or sqlite3.Error."""
    with closing(connect_to_look(path, busy_timeout_s)) as connection:
        found, known = schema_version(connection), len(steps)
        if found > known:
            raise IoFailed("storage_error-newer", path=str(path), found=found, known=known)
        if found == 0 and connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
            raise corrupt(path, "it is a database of another program")
        size, clean = path.stat().st_size, not _ended_in_the_middle(path)
        # SQLite reads what is missing of a last page as zeros, without a word.
        if clean and size % int(connection.execute("PRAGMA page_size").fetchone()[0]):
            raise corrupt(path, "its end is missing")
        if clean and size > _ALWAYS_CHECKED:
            return
        problems = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
    if problems != ["ok"]:
        raise corrupt(path, problems[0] if problems else "it cannot be checked")


def _ended_in_the_middle(path: Path) -> bool:
    """Is there a write-ahead log? Closing removes it."""
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size > 0
    except OSError:
        return False
