"""Reads the embedded engine's command line and environment, and writes its help, all from one table of flags.

It behaves as llama.cpp's own parser does, because what starts an engine must not need to know which one it is: long
names take an underscore for a hyphen, a flag's last mention wins, environment variables are read first, and a mistake
ends in one line on stderr. Imports only the standard library, and little of it: it runs before every model load.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

ON, OFF = "on", "off"
_TRUTHY = frozenset({"on", "enabled", "true", "1"})
_FALSY = frozenset({"off", "disabled", "false", "0"})
_COLUMN, _WIDTH = 40, 110
_NEGATABLE = "LLAMA_ARG_"

# The parameters belong to a compiled module without types; they are only ever passed on.
Parameters = Any
Setter = Callable[[Parameters, str], None]


class Flag(NamedTuple):
    """One flag: how it is spelled, what it means, and what it does to the parameters.

    Without `metavar` it is a switch and `act` gets `on` or `off`; `off` names the spellings that switch it off. `act`
    raises ValueError with what it expected, or OSError for a file. `environment` names the variables, first one shown.
    """

    names: tuple[str, ...]
    metavar: str
    help: str
    act: Setter
    environment: tuple[str, ...] = ()
    off: tuple[str, ...] = ()


def flag(names: str, metavar: str, about: str, act: Setter, environment: str = "", off: str = "") -> Flag:
    """An entry as one line: spellings separated by blanks, variables without their common prefix."""
    variables = tuple(name if name.startswith("LLAMA_") else f"{_NEGATABLE}{name}" for name in environment.split())
    return Flag(tuple(names.split()), metavar, about, act, variables, tuple(off.split()))


class Setting(NamedTuple):
    """A flag as given: `source` is the spelling or the variable, for messages."""

    flag: Flag
    value: str
    source: str


class BadArgument(Exception):
    """The text is the line for stderr."""


def read_arguments(table: Iterable[Flag], argv: Sequence[str]) -> list[Setting]:
    """The flags in `argv`, in order. Raises BadArgument for an unknown flag and for a missing value."""
    flags = {name: flag for flag in table for name in (*flag.names, *flag.off)}
    settings: list[Setting] = []
    words = iter(argv)
    for word in words:
        name = word.replace("_", "-") if word.startswith("--") else word
        flag = flags.get(name)
        if flag is None:
            message = f"error: invalid argument: {word}"
            raise BadArgument(message)
        if not flag.metavar:
            settings.append(Setting(flag, OFF if name in flag.off else ON, name))
            continue
        value = next(words, None)
        if value is None:
            message = f'error while handling argument "{name}": expected value for argument'
            raise BadArgument(message)
        settings.append(Setting(flag, value, name))
    return settings


def read_environment(table: Iterable[Flag], environment: Mapping[str, str]) -> list[Setting]:
    """The flags set by environment variables. An empty variable counts as unset."""
    settings: list[Setting] = []
    for flag in table:
        for name in flag.environment:
            negative = name.replace(_NEGATABLE, f"{_NEGATABLE}NO_", 1)
            if not flag.metavar and flag.off and negative in environment:
                settings.append(Setting(flag, OFF, negative))
            value = environment.get(name, "")
            if value:
                settings.append(Setting(flag, value if flag.metavar else _switch(name, value), name))
    return settings


def apply_settings(settings: Iterable[Setting], parameters: Parameters) -> None:
    """Set the parameters in the order given. Raises BadArgument where a value does not fit."""
    for setting in settings:
        try:
            setting.flag.act(parameters, setting.value)
        except (ValueError, OverflowError, OSError, RuntimeError) as error:
            kind = "argument" if setting.source.startswith("-") else "environment variable"
            message = f'error while handling {kind} "{setting.source}": {error}'
            raise BadArgument(message) from error


def help_text(sections: Mapping[str, Iterable[Flag]]) -> str:
    """The help in llama-server's layout: section titles, spellings, and from column 40 what a flag does."""
    lines: list[str] = []
    for title, flags in sections.items():
        lines += [f"----- {title} -----", ""]
        for flag in flags:
            lines += _entry(flag)
        lines.append("")
    return "\n".join(lines)


def _entry(flag: Flag) -> list[str]:
    about = textwrap.wrap(flag.help, _WIDTH - _COLUMN)
    about += [f"(env: {name})" for name in flag.environment[:1]]
    spellings = [*flag.names, *flag.off]
    if len(spellings) > 1:
        spellings[0] = f"{spellings[0]}, ".ljust(6) + spellings.pop(1)
    left = f"{', '.join(spellings)} {flag.metavar}".rstrip()
    if len(left) >= _COLUMN:
        return [left, *(" " * _COLUMN + line for line in about)]
    return [left.ljust(_COLUMN) + about[0], *(" " * _COLUMN + line for line in about[1:])]


def _switch(name: str, value: str) -> str:
    if value.lower() in _TRUTHY:
        return ON
    if value.lower() in _FALSY:
        return OFF
    message = f'error while handling environment variable "{name}": expected on or off, got {value!r}'
    raise BadArgument(message)
