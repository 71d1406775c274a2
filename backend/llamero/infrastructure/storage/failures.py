"""SQLite's failures as errors of the tree: `storage_error-…`, one code for each thing that a person can do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from llamero.infrastructure.out_of_space import OUT_OF_SPACE
from llamero.models.errors import IoFailed

# The low byte of an extended result code is the primary one: https://www.sqlite.org/rescode.html
_PRIMARY = 0xFF
_CODES = {
    sqlite3.SQLITE_CORRUPT: "storage_error-corrupt",
    sqlite3.SQLITE_NOTADB: "storage_error-corrupt",
    sqlite3.SQLITE_READONLY: "storage_error-read_only",
    sqlite3.SQLITE_PERM: "storage_error-read_only",
    sqlite3.SQLITE_CANTOPEN: "storage_error-read_only",
    sqlite3.SQLITE_FULL: "storage_error-full",
    sqlite3.SQLITE_BUSY: "storage_error-locked",
    sqlite3.SQLITE_LOCKED: "storage_error-locked",
    sqlite3.SQLITE_PROTOCOL: "storage_error-locked",
}
# A quota or a limit on the size of files (EDQUOT, EFBIG) is no ENOSPC, so SQLite calls it a failed write.
_FAILED_WRITES = {sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE}


def storage_error(error: Exception, path: Path) -> Exception:
    """Return the error of the tree for a failure of SQLite or of the file system; any other comes back as it is."""
    if isinstance(error, OSError):
        code = "storage_error-full" if error.errno in OUT_OF_SPACE else "storage_error-read_only"
        return IoFailed(code, path=str(path), reason=error.strerror or str(error))
    if not isinstance(error, sqlite3.Error):
        return error
    # Errors that Python's module raises by itself have no code, and are mistakes of ours.
    extended: int | None = getattr(error, "sqlite_errorcode", None)
    if extended is None:
        return error
    code = _CODES.get(extended & _PRIMARY, "")
    if code == "storage_error-corrupt":
        return corrupt(path, str(error))
    if not code and extended in _FAILED_WRITES:
        code = "storage_error-full"
    if not code and extended & _PRIMARY == sqlite3.SQLITE_IOERR:
        code = "storage_error-failed"
    return IoFailed(code, path=str(path), reason=str(error)) if code else error


def corrupt(path: Path, reason: str) -> IoFailed:
    """The file is no whole database; names the newest backup, if there is one."""
    backup = newest_backup(path)
    return IoFailed(
        "storage_error-corrupt", path=str(path), reason=reason, backup="" if backup is None else str(backup)
    )


def backup_path(path: Path, version: int) -> Path:
    """Where the backup of a database of this schema version is kept."""
    return path.with_name(f"{path.name}.backup-v{version}")


def newest_backup(path: Path) -> Path | None:
    """The backup of the highest schema version."""
    marker = f"{path.name}.backup-v"
    try:
        found = [other for other in path.parent.iterdir() if other.name.startswith(marker)]
    except OSError:
        return None
    versions = {int(number): other for other in found if (number := other.name.removeprefix(marker)).isdecimal()}
    return versions[max(versions)] if versions else None
