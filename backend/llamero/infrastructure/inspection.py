"""Looks at the machine without changing it: directories, free space, memory, ports, the database library.

What is only tried is undone at once: a port is opened and closed, a database made in a temporary directory and removed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from contextlib import ExitStack, closing, suppress
from pathlib import Path

from llamero.infrastructure.listening import bind_listeners, port_holder
from llamero.models.doctor import DatabaseAbilities, MachineMemory
from llamero.models.errors import IoFailed


def check_directory(directory: Path) -> None:
    """Check that a directory can be used, or made where it does not exist.

    Raises `IoFailed` as `Paths.prepare` does, which would make it.
    """
    existing = nearest_existing(directory)
    if not existing.is_dir():
        raise IoFailed("data_error-not_a_directory", path=str(existing))
    try:
        with os.scandir(existing) as entries:
            next(entries, None)
    except OSError as error:
        if existing == directory:
            reason = error.strerror or str(error)
            raise IoFailed("data_error-directory_unreadable", path=str(directory), reason=reason) from error
    if not os.access(existing, os.W_OK | os.X_OK):
        raise IoFailed("data_error-directory_unwritable", path=str(existing), reason="")


def nearest_existing(path: Path) -> Path:
    """The path itself or the nearest of its parents that is there, as far as this user can see."""
    return next((place for place in (path, *path.parents) if os.path.lexists(place)), Path(path.anchor))


def is_there(path: Path) -> bool:
    """Is there anything of that name, as far as this user can see?"""
    return os.path.lexists(path)


def free_space(path: Path) -> int | None:
    """Bytes that this user may still write where `path` is or would be; None when the system does not say."""
    try:
        return shutil.disk_usage(nearest_existing(path)).free
    except OSError:
        return None


def machine_memory() -> MachineMemory | None:
    """RAM of the machine; None when the system does not say."""
    import psutil

    try:
        memory = psutil.virtual_memory()
    except (OSError, psutil.Error, RuntimeError):
        return None
    return MachineMemory(total=memory.total, available=memory.available)


def check_port(host: str, port: int) -> None:
    """Check that `host` and `port` can be listened on. Raises `IoFailed` as `bind_listeners` does."""
    for listening in bind_listeners(host, port, True):
        listening.close()


def listens_for(run_dir: Path, port: int) -> bool:
    """Is it the Llamero of this data directory, as its lock file names it, that listens on the port?"""
    try:
        pid = (run_dir / "lock").read_text(encoding="ascii", errors="replace")[:32].strip()
    except OSError:
        return False
    holder = port_holder(port) or ""
    return pid.isdecimal() and (holder == f"process {pid}" or holder.endswith(f"(process {pid})"))


def database_abilities(directory: Path) -> DatabaseAbilities:
    """Try what the conversations need of SQLite, on the disk of `directory` where that can be written to."""
    place = directory if directory.is_dir() and os.access(directory, os.W_OK | os.X_OK) else None
    journal, search = "", False
    with suppress(OSError, sqlite3.Error), ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="llamero-doctor-", dir=place))
        connection = stack.enter_context(closing(sqlite3.connect(Path(temporary) / "try.sqlite")))
        journal = str(connection.execute("PRAGMA journal_mode=WAL").fetchone()[0])
        with suppress(sqlite3.Error):
            connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
            search = True
    return DatabaseAbilities(version=sqlite3.sqlite_version, write_ahead_log=journal == "wal", full_text_search=search)
