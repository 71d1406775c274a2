"""Settings from their four places: default < file < environment < command line.

No content of any of them stops the program: a value that cannot be used is passed over for the next weaker place and
named in `problems` as one sentence. The file is only read, so a person's text, comments and all, stays as it is.

File: TOML, a table for each Struct of `models/settings.py`. Environment: `LLAMERO_<TABLE>_<KEY>`, where an empty
variable counts as unset; lists as told in `settings_schema.convert_text`. Command line: a mapping of `gateway.port` and
the like to a value or its text, where None counts as not given.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePath
from typing import Any

import msgspec

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.plain_text import one_line
from llamero.infrastructure.settings_schema import Key, convert, convert_text, expected, schema
from llamero.infrastructure.toml_file import TomlFault, read_toml
from llamero.models.settings import ResolvedSettings, Settings, SettingsProblem, Source

# A file of another program has thousands of keys that are unknown here; nobody reads as many sentences.
_UNKNOWN_LIMIT = 20
_VALUE_LIMIT = 60


class _Layer(msgspec.Struct, frozen=True):
    """One place: what it sets, by key, and how it is called in a sentence."""

    source: Source
    values: Mapping[str, object]
    place: Callable[[Key], str]


def load_settings(path: Path, environment: Mapping[str, str], overrides: Mapping[str, object]) -> ResolvedSettings:
    """Decide every setting and say where it came from. Never raises for what the three places contain."""
    tables = read_toml(path)
    problems: list[SettingsProblem] = []
    values: dict[str, object] = {}
    if isinstance(tables, TomlFault):
        problems.append(_problem("", tables.code, Source.FILE, tables.arguments))
    else:
        values, unknown = _flatten(tables, path.name)
        problems += _bounded(unknown, path.name)
    problems += _unknown_variables(environment)
    problems += _unknown_overrides(overrides)
    layers = (
        _Layer(Source.FILE, values, lambda _: path.name),
        _Layer(Source.ENVIRONMENT, _variables(environment), lambda key: key.variable),
        _Layer(Source.COMMAND_LINE, _given(overrides), lambda _: _command_line()),
    )
    chosen: dict[str, dict[str, Any]] = {}
    sources: dict[str, Source] = {}
    for key in schema():
        value, source, faults = _decide(key, layers)
        chosen.setdefault(key.table, {})[key.name] = value
        sources[key.path] = source
        problems += [_invalid_value(key, layer, value) for layer in faults]
    return ResolvedSettings(settings=msgspec.convert(chosen, Settings), sources=sources, problems=tuple(problems))


def _decide(key: Key, layers: Iterable[_Layer]) -> tuple[Any, Source, list[_Layer]]:
    """Take the strongest value that can be used, and list the places whose value cannot."""
    value, source = key.default, Source.DEFAULT
    faults = []
    for layer in layers:
        if key.path not in layer.values:
            continue
        raw = layer.values[key.path]
        try:
            textual = isinstance(raw, str) and layer.source is not Source.FILE
            value = convert_text(key, str(raw)) if textual else convert(key, raw)
            source = layer.source
        except (msgspec.ValidationError, OverflowError):
            faults.append(layer)
    return value, source, faults


def _flatten(tables: Mapping[str, object], place: str) -> tuple[dict[str, object], list[SettingsProblem]]:
    """Turn the file's tables into keys, and name what is no table or key of ours."""
    known = {key.path for key in schema()}
    names = {key.table for key in schema()}
    values: dict[str, object] = {}
    problems = []
    for table, content in tables.items():
        if table in names and isinstance(content, Mapping):
            for name, value in content.items():
                if (path := f"{table}.{name}") in known:
                    values[path] = value
                else:
                    problems.append(_unknown(path, "settings_error-unknown_key", place, _nearest_key(table, name)))
        elif table in names:
            arguments = {"key": table, "place": place, "value": _shown(content)}
            problems.append(_problem(table, "settings_error-not_a_table", Source.FILE, arguments))
        elif isinstance(content, Mapping):
            problems.append(_unknown(table, "settings_error-unknown_table", place, _nearest(table, names)))
        else:
            problems.append(_unknown(table, "settings_error-unknown_key", place, _nearest_key("", table)))
    return values, problems


def _bounded(problems: list[SettingsProblem], place: str) -> list[SettingsProblem]:
    rest = len(problems) - _UNKNOWN_LIMIT
    if rest <= 0:
        return problems
    more = _problem("", "settings_error-more_unknown", Source.FILE, {"place": place, "count": rest})
    return [*problems[:_UNKNOWN_LIMIT], more]


def _variables(environment: Mapping[str, str]) -> dict[str, object]:
    named = ((key.path, environment.get(key.variable, "")) for key in schema())
    return {path: text for path, text in named if text}


def _unknown_variables(environment: Mapping[str, str]) -> list[SettingsProblem]:
    """Name variables that look like settings but are none. Others of Llamero's, as LLAMERO_API_KEY, pass."""
    variables = {key.variable for key in schema()}
    prefixes = tuple(sorted({f"LLAMERO_{key.table.upper()}_" for key in schema()}))
    return [
        _problem(
            name,
            "settings_error-unknown_variable",
            Source.ENVIRONMENT,
            {"key": one_line(name, _VALUE_LIMIT), "suggestion": _nearest(name, variables)},
        )
        for name in sorted(environment)
        if name.startswith(prefixes) and name not in variables
    ]


def _given(overrides: Mapping[str, object]) -> dict[str, object]:
    return {
        path: str(value) if isinstance(value, PurePath) else value
        for path, value in overrides.items()
        if value is not None
    }


def _unknown_overrides(overrides: Mapping[str, object]) -> list[SettingsProblem]:
    known = {key.path for key in schema()}
    return [
        _unknown(path, "settings_error-unknown_key", _command_line(), _nearest(path, known), Source.COMMAND_LINE)
        for path in overrides
        if path not in known
    ]


def _command_line() -> str:
    return default_messages().text("settings-place-command-line")


def _invalid_value(key: Key, layer: _Layer, used: object) -> SettingsProblem:
    arguments = {
        "key": key.path,
        "place": layer.place(key),
        "value": _shown(layer.values[key.path]),
        "expected": expected(key, default_messages()),
        "used": _shown(used),
    }
    return _problem(key.path, "settings_error-invalid_value", layer.source, arguments)


def _unknown(path: str, code: str, place: str, suggestion: str, source: Source = Source.FILE) -> SettingsProblem:
    arguments = {"key": one_line(path, _VALUE_LIMIT), "place": place, "suggestion": suggestion}
    return _problem(path, code, source, arguments)


def _problem(key: str, code: str, source: Source, arguments: Mapping[str, str | int]) -> SettingsProblem:
    sentence = default_messages().text(code, arguments)
    return SettingsProblem(key=one_line(key, _VALUE_LIMIT), reason=sentence, code=code, source=source)


def _nearest_key(table: str, name: str) -> str:
    """Find the setting that was meant: a similar name in the same table first, then in any."""
    names = {key.name for key in schema() if key.table == table}
    if near := _nearest(name, names):
        return f"{table}.{near}"
    near = _nearest(name, {key.name for key in schema()})
    return next((key.path for key in schema() if key.name == near), "")


def _nearest(word: str, candidates: Iterable[str]) -> str:
    import difflib  # only needed for a fault

    folded = {candidate.lower(): candidate for candidate in sorted(candidates)}
    near = difflib.get_close_matches(word.lower()[:100], folded, n=1, cutoff=0.6)
    return folded[near[0]] if near else ""


def _shown(value: object) -> str:
    """Write a value about as TOML does, short enough for a sentence."""
    messages = default_messages()
    match value:
        case str():
            return json.dumps(value if len(value) <= _VALUE_LIMIT else value[:_VALUE_LIMIT] + "…", ensure_ascii=False)
        case bool():
            return str(value).lower()
        case int() if abs(value) >= 10**_VALUE_LIMIT:
            return messages.text("settings-value-huge")
        case Mapping():
            return messages.text("settings-value-table")
        case list() | tuple():
            return messages.text("settings-value-list", {"count": len(value)})
    return one_line(str(value), _VALUE_LIMIT)
