"""The settings as the page shows them: each with its value, where that came from, and what it may be."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from llamero.models.settings import Source

SettingValue = bool | int | float | str | tuple[str, ...]
SettingPath = Annotated[str, msgspec.Meta(pattern=r"\A[a-z_]{1,40}\.[a-z_]{1,60}\Z")]


class SettingKind(StrEnum):
    """What a form has to offer. `lines` is a list, one text to a line."""

    SWITCH = "switch"
    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    LINES = "lines"


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as it is decided now.

    `place` is how its source is called: a file, a variable, the command line; empty for a default. `fixed` says in a
    sentence why the page cannot change it. `running` is what Llamero still goes by until it is started again, where
    that is something else than `value`. `least` and `most` are a number's bounds.
    """

    path: str
    kind: SettingKind
    label: str
    help: str
    value: SettingValue
    default: SettingValue
    source: Source
    place: str
    variable: str
    fixed: str | None = None
    running: SettingValue | None = None
    least: float | None = None
    most: float | None = None


class SettingsReport(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, in the order of the file, and sentences about what in the file cannot be used."""

    file: str
    settings: tuple[Setting, ...]
    problems: tuple[str, ...] = ()


class ChangeSetting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Write a setting into the file; None takes it out, so that its default counts."""

    path: SettingPath
    value: SettingValue | None
