"""Forward-only changes of the schema: `migrations/NNNN_what.sql`, each applied once and in order.

Invariants: a migration and the number that says it was applied are one transaction, so a process that dies in the
middle leaves the old data under the old number, and of processes that open a file at once only one applies it; before
the first of them the whole file is copied beside itself, and the copy has its final name only when it is complete and
on the disk. Nothing is ever migrated backwards.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from llamero.infrastructure.storage.connections import schema_version
from llamero.infrastructure.storage.failures import backup_path
from llamero.models.errors import InternalError

MIGRATIONS = Path(__file__).resolve().parent / "migrations"


class Migration(msgspec.Struct, frozen=True):
    """One step from version `version - 1` to `version`."""

    version: int
    file: Path


def load_migrations(directory: Path = MIGRATIONS) -> tuple[Migration, ...]:
    """Find the steps, in order. Raises InternalError when a number is missing or there twice."""
    files = sorted(directory.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    steps = tuple(Migration(int(file.name[:4]), file) for file in files)
    if [step.version for step in steps] != list(range(1, len(steps) + 1)):
        raise InternalError(reason=f"the migrations are not numbered from 1 without a gap: {[f.name for f in files]}")
    return steps


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[Migration]) -> None:
    """Bring the schema to the newest version. Raises sqlite3.Error or OSError; what was there is then unchanged."""
    version = schema_version(connection)
    due = [step for step in steps if step.version > version]
    if due and version > 0:
        back_up(connection, backup_path(path, version))
    # A step that is not followed to the disk before the next write could be lost with that write.
    connection.execute("PRAGMA synchronous = FULL")
    for step in due:
        _apply(connection, step)


def back_up(connection: sqlite3.Connection, target: Path) -> None:
    """Copy the whole database to `target`, replacing a former copy only once the new one is complete."""
    unfinished = target.with_name(f"{target.name}.unfinished")
    try:
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with closing(sqlite3.connect(unfinished)) as copy:
                connection.backup(copy)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        unfinished.replace(target)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if schema_version(connection) >= step.version:  # by another process, while we waited for our turn
            connection.execute("ROLLBACK")
            return
        for statement in statements(step.file.read_text(encoding="utf-8")):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {step.version}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would commit what is open. A statement ends with a line's end."""
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        statement = "\n".join(lines)
        if sqlite3.complete_statement(statement):
            yield statement
            lines.clear()
    if any(line.strip() and not line.lstrip().startswith("--") for line in lines):
        yield "\n".join(lines)
