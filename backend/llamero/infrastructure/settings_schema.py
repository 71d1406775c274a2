"""What settings there are, read off the Structs in `models/settings.py`, so that a new field needs no second place.

A key is `table.name`; its environment variable is `LLAMERO_<TABLE>_<NAME>`. `convert` checks a value against the
field's type and range, and `expected` says in words what would fit.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import msgspec
from msgspec import inspect

from llamero.infrastructure.messages import Messages
from llamero.models.settings import Settings
from llamero.models.settings_report import SettingKind

_SEPARATORS = re.compile(r"[,\s]+")


class Key(msgspec.Struct, frozen=True):
    """One setting: where it is found, its type with its range, and its default."""

    table: str
    name: str
    type: Any
    default: Any

    @property
    def path(self) -> str:
        """The name that people and the command line use: `gateway.port`."""
        return f"{self.table}.{self.name}"

    @property
    def variable(self) -> str:
        """The environment variable: `LLAMERO_GATEWAY_PORT`."""
        return f"LLAMERO_{self.table}_{self.name}".upper()


@functools.cache
def schema() -> tuple[Key, ...]:
    """Every setting, in the order of the Structs."""
    return tuple(
        Key(table.encode_name, field.encode_name, field.type, getattr(table.default, field.name))
        for table in msgspec.structs.fields(Settings)
        for field in msgspec.structs.fields(table.type)
    )


def convert(key: Key, value: object) -> Any:
    """Check a value that already has a type, as TOML gives it. Raises `msgspec.ValidationError`."""
    return msgspec.convert(value, key.type)


def convert_text(key: Key, text: str) -> Any:
    """Check a value that came as text, as from the environment. Raises `msgspec.ValidationError`.

    A list of engine flags is one line, kept whole: it is split, quotes and all, where flags are parsed. Any other list
    is separated by commas or spaces.
    """
    kind, extra = _described(key.type)
    if not isinstance(kind, inspect.VarTupleType):
        return msgspec.convert(text if isinstance(kind, inspect.StrType) else text.strip(), key.type, strict=False)
    parts = [text] if extra.get("text") == "line" else [part for part in _SEPARATORS.split(text) if part]
    return msgspec.convert(parts, key.type)


def bounds(key: Key) -> tuple[float, float] | None:
    """The least and the greatest value of a number; None for what is none."""
    kind, _ = _described(key.type)
    if isinstance(kind, inspect.IntType | inspect.FloatType):
        return kind.ge or 0, kind.le or 0
    return None


def kind_of(key: Key) -> SettingKind:
    """What a form has to offer for the setting."""
    kind, _ = _described(key.type)
    match kind:
        case inspect.BoolType():
            return SettingKind.SWITCH
        case inspect.IntType():
            return SettingKind.INTEGER
        case inspect.FloatType():
            return SettingKind.NUMBER
        case inspect.VarTupleType():
            return SettingKind.LINES
    return SettingKind.TEXT


def expected(key: Key, messages: Messages) -> str:
    """Say in words what the setting may be, as "a whole number from 0 to 65535"."""
    kind, extra = _described(key.type)
    match kind:
        case inspect.IntType() | inspect.FloatType():
            word = "integer" if isinstance(kind, inspect.IntType) else "number"
            return messages.text(f"settings-expected-{word}", {"low": kind.ge or 0, "high": kind.le or 0})
        case inspect.BoolType():
            return messages.text("settings-expected-boolean")
        case inspect.StrType():
            return messages.text(f"settings-expected-{extra.get('expected', 'text')}")
        case inspect.VarTupleType():
            _, item_extra = _described_node(kind.item_type)
            return messages.text(f"settings-expected-list-{(item_extra | extra).get('expected', 'text')}")
    raise TypeError(f"no words for the type of {key.path}")


def _described(type_: Any) -> tuple[inspect.Type, dict[str, str]]:
    return _described_node(inspect.type_info(type_))


def _described_node(node: inspect.Type) -> tuple[inspect.Type, dict[str, str]]:
    """Take the `Meta.extra` wrapper off a type."""
    if isinstance(node, inspect.Metadata):
        return node.type, dict(node.extra or {})
    return node, {}
