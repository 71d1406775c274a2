"""How a connection to the database is made: settings that hold for each of them, whoever opens it.

Transactions are begun and ended by us alone (`isolation_level=None`). A connection may be closed by another thread
than the one that uses it, which is never done at the same time.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

# What SQLite keeps of the write-ahead log after a checkpoint; one long answer should not occupy the disk for ever.
_LOG_LIMIT = 8 * 1024 * 1024


def connect(path: Path, busy_timeout_s: float, *, read_only: bool = False, unused: bool = False) -> sqlite3.Connection:
    """Open the file as it is. `read_only` leaves every byte of it alone. Raises sqlite3.Error.

    `unused` vouches that no log lies beside the file, so nobody has it open: then not even an empty log is made.
    """
    mode = "ro" if read_only else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}{'&immutable=1' if unused else ''}",
        uri=True,
        timeout=busy_timeout_s,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA temp_store = MEMORY")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_look(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the file, which may be anybody's and damaged, to read it beside whoever has it open. Raises sqlite3.Error.

    Where no log lies beside it nobody has it open, and then not even an empty log is made.
    """
    unused = not any(path.with_name(f"{path.name}{log}").exists() for log in ("-wal", "-journal"))
    return connect(path, busy_timeout_s, read_only=True, unused=unused)


def connect_reader(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open a connection that cannot change anything, beside the one that writes."""
    connection = connect(path, busy_timeout_s)
    connection.execute("PRAGMA query_only = ON")
    return connection


def connect_writer(path: Path, busy_timeout_s: float) -> sqlite3.Connection:
    """Open the connection that writes, in WAL mode where the file system can do that."""
    connection = connect(path, busy_timeout_s)
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
    except BaseException:
        connection.close()
        raise
    return connection


def schema_version(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied; 0 for an empty file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
