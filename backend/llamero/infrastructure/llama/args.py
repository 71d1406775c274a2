"""llama-server arguments as people write them: read, checked, merged from four tiers and written out again.

Pure. Without an `EngineFlags` every spelling is a flag of its own and its values are all tokens up to the next flag;
with it, aliases are one flag and each problem is named before anything is started. Tiers, weakest first: settings,
variant, alias, config. What the merge keeps: a flag stands where it first appeared, in any tier, and has the spelling
and the values of the strongest tier that names it; so the result is the same on every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from llamero.infrastructure.llama.flag_table import (
    EngineFlags,
    FlagSpec,
    Repeats,
    canonical,
    is_managed,
    repeats_by_name,
)
from llamero.models.errors import InvalidArgument
from llamero.models.llama import LlamaCppConfig

_NUMBER = re.compile(r"-(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_BLANK = " \t\r\n\v\f"
# Layers that no model reaches. Every build takes a number, only recent ones the word `all`.
ALL_LAYERS = "999"
_SHOWN_CHARACTERS = 200


class Tier(StrEnum):
    """Who asked for a flag, weakest first."""

    SETTINGS = "settings"
    VARIANT = "variant"
    ALIAS = "alias"
    CONFIG = "config"


class Flag(msgspec.Struct, frozen=True):
    """A flag and its values, as written."""

    name: str
    values: tuple[str, ...] = ()


class Parsed(msgspec.Struct, frozen=True):
    """One tier as read; `orphans` are the tokens before the first flag."""

    flags: tuple[Flag, ...] = ()
    orphans: tuple[str, ...] = ()


class MergedFlag(msgspec.Struct, frozen=True):
    """A flag of the merged command line, with the tier that decided it."""

    name: str
    values: tuple[str, ...]
    tier: Tier

    @property
    def text(self) -> str:
        """As a person would write it; `parse` reads it back to the same flag."""
        name = self.name[0] + quote(self.name[1:]) if _has_blanks_or_quotes(self.name) else self.name
        return " ".join((name, *map(quote, self.values)))


def is_flag(token: str) -> bool:
    """Does the token name a flag? A negative number and a bare hyphen are values."""
    return len(token) > 1 and token.startswith("-") and _NUMBER.fullmatch(token) is None


def parse(strings: Iterable[str]) -> Parsed:
    """Read one tier, in which a flag and its values may be spread over several strings.

    Single and double quotes group, a quoted token is a value even when it starts with a hyphen, and backslashes are
    ordinary characters, so that Windows paths survive. `--flag=value` is a flag and a value. Raises InvalidArgument
    for a quote that is not closed and for a NUL character, which no command line can carry.
    """
    flags: list[tuple[str, list[str]]] = []
    orphans: list[str] = []
    for string in strings:
        for token, quoted in _tokens(string):
            if quoted or not is_flag(token):
                (flags[-1][1] if flags else orphans).append(token)
                continue
            name, equals, value = token.partition("=")
            flags.append((name, [value]) if equals and is_flag(name) else (token, []))
    return Parsed(tuple(Flag(name, tuple(values)) for name, values in flags), tuple(orphans))


def quote(token: str) -> str:
    """Write a value so that `parse` reads the same value back."""
    if token and not is_flag(token) and not _has_blanks_or_quotes(token):
        return token
    pieces = [f"'{piece}'" if '"' in piece else f'"{piece}"' for piece in re.findall(r"[^']+|'+", token)]
    return "".join(pieces) or '""'


def validate(parsed: Parsed, flags: EngineFlags | None = None, tier: Tier | None = None) -> tuple[Flag, ...]:
    """Check one tier before anything is started and return its flags as the engine wants them.

    Raises InvalidArgument for the first problem, with the arguments `argument` and `tier` (empty when not said):
    `args_error-orphan`, `args_error-managed_flag`; with `flags` also `args_error-unknown_flag` (with a `suggestion`
    where a flag is close), `args_error-missing_value` and `args_error-too_many_values` (with the first extra `value`).
    """
    asker = tier.value if tier is not None else ""
    if parsed.orphans:
        raise InvalidArgument("args_error-orphan", argument=_shown(parsed.orphans[0]), tier=asker)
    checked: list[Flag] = []
    for flag in parsed.flags:
        if is_managed(flag.name, flags):
            raise InvalidArgument("args_error-managed_flag", argument=_shown(flag.name), tier=asker)
        if flags is None:
            checked.append(flag)
            continue
        spec = flags.find(flag.name)
        if spec is None:
            meant = flags.suggestion(flag.name[:_SHOWN_CHARACTERS])
            unknown = InvalidArgument("args_error-unknown_flag", argument=_shown(flag.name), tier=asker)
            if meant:
                unknown.arguments["suggestion"] = meant
            raise unknown
        checked.append(_fit_values(flag, spec, asker))
    return tuple(checked)


def merge(
    settings: Iterable[str],
    variant: Iterable[str],
    alias: Iterable[str],
    flags: EngineFlags | None = None,
    *,
    config: Iterable[str] = (),
) -> tuple[MergedFlag, ...]:
    """Merge the tiers; see the module's docstring for order and precedence.

    Within one tier a list flag that is repeated becomes one comma-separated list, a flag whose values the engine
    collects stays repeated, and of any other the last one counts. A stronger tier replaces all of it, and `--no-X`
    replaces `--X` and vice versa. Raises InvalidArgument as `parse` and `validate` do.
    """
    merged: dict[str, list[MergedFlag]] = {}
    tiers = ((Tier.SETTINGS, settings), (Tier.VARIANT, variant), (Tier.ALIAS, alias), (Tier.CONFIG, config))
    for tier, strings in tiers:
        own: dict[str, list[MergedFlag]] = {}
        for flag in validate(parse(strings), flags, tier):
            key = _identity(flag.name, flags)
            own[key] = _repeated(own.get(key, []), MergedFlag(flag.name, flag.values, tier), flags)
        merged.update(own)  # a key that is there keeps its place: order of first appearance
    return tuple(flag for group in merged.values() for flag in group)


def has_flag(merged: Iterable[MergedFlag], name: str, flags: EngineFlags) -> bool:
    """Is the flag of that name among these, in whatever spelling, or its `--no-` twin?"""
    wanted = _identity(name, flags)
    return any(_identity(flag.name, flags) == wanted for flag in merged)


def render(merged: Iterable[MergedFlag]) -> tuple[str, ...]:
    """The argv tokens of a merged command line."""
    return tuple(token for flag in merged for token in (flag.name, *flag.values))


def config_arguments(config: LlamaCppConfig) -> tuple[str, ...]:
    """The flags that a model's parameters stand for; a parameter that is None leaves the choice to the engine.

    A negative number of GPU layers means all of them.
    """
    layers = config.gpu_layers
    numbers = (
        ("--ctx-size", config.context_length),
        ("--n-gpu-layers", ALL_LAYERS if layers is not None and layers < 0 else layers),
        ("--threads", config.threads),
        ("--batch-size", config.batch_size),
        ("--parallel", config.parallel),
    )
    tokens = [token for name, value in numbers if value is not None for token in (name, str(value))]
    if config.rpc:
        tokens += ["--rpc", ",".join(config.rpc)]
    return (*tokens, "--embedding") if config.embedding else tuple(tokens)


def argv(alias: str, model: str, port: int, tokens: Iterable[str]) -> list[str]:
    """The argv of a server after the engine's own command; `tokens` are passed exactly as `render` gives them."""
    return ["--alias", alias, "--model", model, "--port", str(port), *tokens]


def command_line(alias: str, model: str, port: int, arguments: Iterable[str]) -> list[str]:
    """The same for strings with a flag and its values, as a person writes them.

    A string is split where it starts with a flag and goes on after white space; every other one is a single token.
    """
    tokens: list[str] = []
    for argument in arguments:
        head = re.split(f"[{_BLANK}]", argument, maxsplit=1)[0]
        tokens += [token for token, _ in _tokens(argument)] if head != argument and is_flag(head) else [argument]
    return argv(alias, model, port, tokens)


def _tokens(string: str) -> Iterator[tuple[str, bool]]:
    """Split at white space outside of quotes; yields each token and whether it started with a quote."""
    if "\0" in string:
        raise InvalidArgument("args_error-nul_character", argument=_shown(string.replace("\0", "\\0")))
    token: list[str] | None = None
    quoted = False
    open_quote = ""
    for character in string:
        if open_quote:
            if character == open_quote:
                open_quote = ""
            elif token is not None:
                token.append(character)
        elif character in _BLANK:
            if token is not None:
                yield "".join(token), quoted
                token = None
        else:
            is_quote = character in "\"'"
            if token is None:
                token, quoted = [], is_quote
            if is_quote:
                open_quote = character
            else:
                token.append(character)
    if open_quote:
        raise InvalidArgument("args_error-unclosed_quote", argument=_shown(string))
    if token is not None:
        yield "".join(token), quoted


def _fit_values(flag: Flag, spec: FlagSpec, asker: str) -> Flag:
    values = flag.values
    if not values and spec.implied and flag.name not in spec.negatives:
        values = (spec.implied,)
    if spec.pair and spec.values == 1 and len(values) == 2:
        values = (":".join(values),)  # older builds took the two parts as two values
    if len(values) > spec.values:
        extra = _shown(values[spec.values])
        raise InvalidArgument("args_error-too_many_values", argument=flag.name, value=extra, tier=asker)
    if len(values) < spec.values - spec.optional:
        raise InvalidArgument("args_error-missing_value", argument=flag.name, tier=asker)
    return Flag(flag.name, values)


def _identity(name: str, flags: EngineFlags | None) -> str:
    """One key for all spellings of a flag and its `--no-` twin, even where the engine lists the twins apart."""
    name = canonical(name)
    twin = f"--{name.removeprefix('--no-')}" if name.startswith("--no-") else ""
    if flags is None:
        return twin or name
    spec = (flags.find(twin) if twin else None) or flags.find(name)
    return spec.spellings[0] if spec is not None else name


def _repeated(earlier: list[MergedFlag], flag: MergedFlag, flags: EngineFlags | None) -> list[MergedFlag]:
    """What stands in a tier after a flag that it may have named before."""
    if not earlier or not flag.values or not earlier[-1].values:
        return [flag]
    spec = flags.find(flag.name) if flags is not None else None
    repeats = spec.repeats if spec is not None else repeats_by_name((canonical(flag.name),))
    if repeats is Repeats.JOIN and len(flag.values) == len(earlier[-1].values) == 1:
        joined = ",".join(value for value in (earlier[-1].values[0], flag.values[0]) if value)
        return [*earlier[:-1], MergedFlag(flag.name, (joined,), flag.tier)]
    if repeats in (Repeats.JOIN, Repeats.KEEP):
        return [*earlier, flag]
    return [flag]


def _has_blanks_or_quotes(text: str) -> bool:
    return any(character in "\"'" or character in _BLANK for character in text)


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
