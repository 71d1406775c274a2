"""A file for a bug report: texts in a zip, without secrets, without the user's name in paths, without what was written.

Every text goes through the `Scrubber` last, whatever it was made of: the log was masked when it was written, but by
what was known then. Lines that may hold a conversation (an engine that was told to be verbose logs requests) are left
out whole, since no pattern could tell the harmless part of them.
"""

from __future__ import annotations

import os
import re
import sqlite3
import zipfile
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from llamero.infrastructure.logs import LOG_NAME
from llamero.infrastructure.secret_masking import MASK, SecretMask, process_secrets
from llamero.infrastructure.storage.connections import connect_to_look
from llamero.models.doctor import DatabaseFacts

LOG_BYTES = 2_000_000
LINE_LIMIT = 16_384
LEFT_OUT = "(left out: this line may hold what was written)"

_HOLDS_TEXT = re.compile(
    r"""\\?["'](?:content|messages|prompt|input|text|reasoning_content|arguments|title|system_prompt)\\?["']\s*:"""
    r"|formatted prompt|prompt:|generated text|<\|im_start\|>|<start_of_turn>|\[INST\]",
    re.IGNORECASE,
)
_NAMES_SECRET = re.compile(r"api[-_]?key|token|secret|passw", re.IGNORECASE)
_SECRET_FLAG = re.compile(rf"--?[\w-]*(?:{_NAMES_SECRET.pattern})[\w-]*", re.IGNORECASE)


class Scrubber:
    """Takes out what is nobody's business. `home` becomes `~` wherever it stands."""

    def __init__(self, home: Path | None, mask: SecretMask = process_secrets) -> None:
        self._mask = mask
        # A home that is the root would shorten every path to nothing.
        self._homes = [str(home)] if home is not None and home != Path(home.anchor) else []
        self._homes += [home.replace("\\", "\\\\") for home in self._homes if "\\" in home]

    def clean(self, text: str) -> str:
        """Return the text without secrets and with short paths."""
        return "\n".join(self._line(line) for line in text.split("\n"))

    def clean_document(self, document: object) -> object:
        """The same for what will be written as JSON, which stays JSON; what is named like a secret is masked whole."""
        match document:
            case str():
                return self.clean(document)
            case dict():
                return {
                    name: MASK if isinstance(value, str) and _NAMES_SECRET.search(name) else self.clean_document(value)
                    for name, value in document.items()
                }
            case list() | tuple():
                before = ("", *document)
                return [
                    MASK if isinstance(named, str) and _SECRET_FLAG.fullmatch(named) else self.clean_document(value)
                    for named, value in zip(before, document, strict=False)
                ]
        return document

    def clean_log(self, text: str) -> str:
        """The same for a log, without the lines that may hold a conversation."""
        return "\n".join(LEFT_OUT if _HOLDS_TEXT.search(line) else self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        line = self._mask.apply(line, LINE_LIMIT)
        for home in self._homes:
            line = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", line)
        return line


def last_log(log_dir: Path, limit: int = LOG_BYTES) -> str:
    """The last bytes of the log, across its files, from the beginning of a line. Empty where there is none."""
    pieces: list[bytes] = []
    for name in (LOG_NAME, *(f"{LOG_NAME}.{number}" for number in range(1, 10))):
        room = limit - sum(map(len, pieces))
        if room <= 0:
            break
        with suppress(OSError):
            pieces.append(_tail(log_dir / name, room))
    text = b"".join(reversed(pieces))
    if len(text) >= limit:
        text = text.partition(b"\n")[2]
    return text.decode("utf-8", "replace")


def _tail(path: Path, room: int) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - room))
        return file.read(room)


def database_facts(path: Path) -> DatabaseFacts | None:
    """Version, size and the number of rows of each table; None where there is no database or it cannot be read.

    Reads beside a running Llamero and changes nothing.
    """
    try:
        with closing(connect_to_look(path, 2.0)) as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            names = [
                str(row[0])
                for row in connection.execute(
                    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' "
                    "AND name NOT LIKE 'message_search%' ORDER BY name"
                )
            ]
            counts = {name: int(connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]) for name in names}  # noqa: S608
        return DatabaseFacts(schema_version=version, size=path.stat().st_size, rows=counts)
    except (OSError, sqlite3.Error):
        return None


def write_bundle(path: Path, files: Mapping[str, str]) -> None:
    """Write a zip of texts for this user alone. Raises FileExistsError for a path that is taken, OSError otherwise."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for name, text in files.items():
                bundle.writestr(name, text)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise
