"""A settings file to start from: every key with what it is for, commented out at its default.

It is made from the Structs and the words in `locale/`, so it cannot fall behind them. Read as it is, it sets nothing.
"""

from __future__ import annotations

import json
import textwrap
from itertools import groupby

from llamero.infrastructure.messages import Messages, default_messages
from llamero.infrastructure.settings_schema import Key, expected, schema

_WIDTH = 100


def settings_template(messages: Messages | None = None) -> str:
    """Return the text of a `settings.toml` with all keys and their defaults as comments."""
    messages = messages or default_messages()
    parts = [_comment(messages.text("settings-template-header"))]
    for table, keys in groupby(schema(), key=lambda key: key.table):
        parts.append(f"\n[{table}]\n{_comment(messages.text(f'settings-table-{table}'))}")
        parts += [_entry(key, messages) for key in keys]
    return "".join(parts)


def _entry(key: Key, messages: Messages) -> str:
    description = messages.text(f"setting-{key.table}-{key.name}")
    accepts = messages.text(
        "settings-template-accepts", {"expected": expected(key, messages), "variable": key.variable}
    )
    return f"\n{_comment(description)}{_comment(accepts)}# {key.name} = {_toml(key.default)}\n"


def _comment(text: str) -> str:
    lines = [line for paragraph in text.split("\n") for line in textwrap.wrap(paragraph, _WIDTH) or [""]]
    return "".join(f"# {line}".rstrip() + "\n" for line in lines)


def _toml(value: object) -> str:
    """Write a default as TOML. JSON's strings and numbers are TOML's for what defaults hold."""
    return json.dumps(list(value) if isinstance(value, tuple) else value)
