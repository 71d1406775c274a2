"""The places where settings come from, to be read again, and the one way to write into the file.

A person's text stays theirs: comments, order and spelling are kept (tomlkit), a link is followed, permissions stay.
What would be written is read first, and is dropped unless it says exactly what it should, so a file never becomes worse
than it was. One that is not TOML is not touched at all.
"""

from __future__ import annotations

import stat
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from llamero.infrastructure.private_file import PRIVATE, write_private_file
from llamero.infrastructure.settings_file import load_settings
from llamero.infrastructure.settings_schema import Key
from llamero.infrastructure.toml_file import TomlFault, read_toml
from llamero.models.errors import Conflict, IoFailed
from llamero.models.settings import ResolvedSettings
from llamero.models.settings_report import SettingValue


class SettingsStore:
    """`environment` and `overrides` are as `load_settings` takes them; they do not change any more."""

    def __init__(self, path: Path, environment: Mapping[str, str], overrides: Mapping[str, object]) -> None:
        self.path = path
        self._environment = dict(environment)
        self._overrides = dict(overrides)

    @property
    def place(self) -> str:
        """The file, for people."""
        return str(self.path)

    def load(self) -> ResolvedSettings:
        """Decide every setting anew. Blocks."""
        return load_settings(self.path, self._environment, self._overrides)

    def write(self, key: Key, value: SettingValue | None) -> None:
        """Set one key in the file, or take it out. Blocks. Raises Conflict for a file that has to be mended first, and
        IoFailed where it cannot be written."""
        before = read_toml(self.path)
        if isinstance(before, TomlFault):
            raise Conflict("settings_error-mend_first", path=str(self.path))
        try:
            target = self.path.resolve()
            text = _edited(_text(target), key, value)
            _replace(target, text)
        except (OSError, ValueError) as error:  # ValueError: what tomlkit cannot read or write
            reason = error.strerror if isinstance(error, OSError) else None
            raise IoFailed("settings_error-not_written", path=str(self.path), reason=reason or str(error)) from error


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""


def _edited(text: str, key: Key, value: SettingValue | None) -> str:
    """Return the text with one key changed. Raises ValueError when it would not say exactly that."""
    import tomllib

    import tomlkit  # 20 ms that only a change costs

    document = tomlkit.parse(text)
    if key.table not in document and value is not None:
        document[key.table] = tomlkit.table()
    table = document.get(key.table, {})
    if not isinstance(table, MutableMapping):
        raise ValueError(f"{key.table} is no table")
    if value is None:
        table.pop(key.name, None)
    else:
        table[key.name] = list(value) if isinstance(value, tuple) else value
    edited = tomlkit.dumps(document)
    if _said(tomllib.loads(edited)) != _expected(tomllib.loads(text), key, value):
        raise ValueError("the file cannot be edited; change it by hand")
    return edited


def _expected(tables: dict[str, object], key: Key, value: SettingValue | None) -> dict[str, object]:
    """What the file should say afterwards."""
    table = tables.get(key.table)
    content = dict(table) if isinstance(table, dict) else {}
    if value is None:
        content.pop(key.name, None)
    else:
        content[key.name] = list(value) if isinstance(value, tuple) else value
    return _said({**tables, key.table: content})


def _said(tables: dict[str, object]) -> dict[str, object]:
    """What a file says; an empty table says nothing."""
    return {name: content for name, content in tables.items() if content != {}}


def _replace(path: Path, text: str) -> None:
    """Replace the file as a whole, with the permissions that it has."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        mode = PRIVATE
    write_private_file(path, text.encode("utf-8"), mode)
