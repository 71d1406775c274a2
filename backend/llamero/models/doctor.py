"""What the doctor found."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Level(StrEnum):
    """How bad it is: a warning costs something, with a problem something does not work."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at: `name` for people, `text` what is, `advice` what to do unless it is all right."""

    name: str
    level: Level
    text: str
    advice: str = ""


class DatabaseAbilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the SQLite of this Python can do in a certain directory."""

    version: str
    write_ahead_log: bool
    full_text_search: bool


class DatabaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a database is, without what is in it. `size` in bytes, `rows` by table."""

    schema_version: int
    size: int
    rows: dict[str, int]


class MachineMemory(msgspec.Struct, frozen=True, kw_only=True):
    """RAM in bytes; `available` is what programs can get."""

    total: int
    available: int
