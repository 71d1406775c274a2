"""Reads llama-server's `--help`: which flags there are, their spellings, and how many values they take.

The layout is llama.cpp's own (`common/arg.cpp`): a flag stands at the start of a line, its spellings separated by
commas, then the names of its values, then from column 40, or on the next lines, what it does. Spellings that switch
the flag off follow those that switch it on. Anything else in the output (section titles, what a GPU driver prints) is
passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from llamero.infrastructure.llama.flag_table import FlagSpec, Repeats, repeats_by_name

_NAME = r"--?[A-Za-z0-9][\w.-]*"
_FLAG_LINE = re.compile(rf"(?P<names> {{0,4}}{_NAME}(?:,\s*{_NAME})*)(?:\s(?P<rest>.*))?", re.DOTALL)
_VALUE_END = re.compile(r"\s{2,}")
_BRACKETED = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\{[^{}]*\}")
_LIST_HINT = re.compile(r",\s*\.\.\.?>?$")
_PAIR_HINT = re.compile(r"[A-Z_]+:[A-Z_]+(?:,\.\.\.)?")
_REMOVED = "argument has been removed"  # listed for those who look for it; naming it ends the engine
_NAMED_AGAIN = re.compile(r"can be (?:repeated|(?:specified|used|given) multiple times)")


def parse_help(text: str) -> tuple[FlagSpec, ...]:
    """Every flag that the text describes and that works, in its order; empty when it describes none."""
    entries = _entries(text)
    return tuple(_spec(names, hint, about) for names, hint, about in entries if _REMOVED not in about)


def _entries(text: str) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Spellings, value names and description of each flag."""
    names: tuple[str, ...] = ()
    hint = ""
    about: list[str] = []
    for line in text.splitlines():
        match = _FLAG_LINE.fullmatch(line)
        if match is None:
            about.append(line.strip())
            continue
        if names:
            yield names, hint, " ".join(about)
        names = tuple(re.split(r",\s*", match["names"].strip()))
        rest = match["rest"] or ""
        # One blank stands before the value's name; more of them end it, or stand where there is none.
        parts = ["", rest.strip()] if rest[:1].isspace() else _VALUE_END.split(rest, maxsplit=1)
        hint = parts[0].strip()
        about = parts[1:]
    if names:
        yield names, hint, " ".join(about)


def _spec(names: tuple[str, ...], hint: str, about: str) -> FlagSpec:
    split = _first_negative(names)
    values = _count_values(hint)
    choices = hint[1:-1].split("|") if re.fullmatch(r"\[[^\[\]]*\]", hint) else []
    # A choice in brackets was a bare switch in older builds, and the engine now wants a value there.
    implied = "on" if "on" in choices else ""
    return FlagSpec(
        names=names[:split],
        negatives=names[split:],
        values=values,
        optional=bool(choices) and not implied,
        implied=implied,
        pair=_PAIR_HINT.fullmatch(hint) is not None,
        repeats=_repeats(names, hint, about) if values else Repeats.LAST,
    )


def _first_negative(names: tuple[str, ...]) -> int:
    """Where the spellings that switch off begin: `--repack, -nr, --no-repack`. A lone `--no-x` has none."""
    split = next((index for index, name in enumerate(names) if name.startswith("--no-")), len(names))
    if split < len(names):
        while split > 0 and not names[split - 1].startswith("--"):
            split -= 1
    return split if split > 0 else len(names)


def _count_values(hint: str) -> int:
    """How many values: `START END` are two, `<tensor name pattern>=<buffer type>,...` is one."""
    return len(_BRACKETED.sub("x", hint).split())


def _repeats(names: tuple[str, ...], hint: str, about: str) -> Repeats:
    """A list of values by position stays one value; otherwise the engine's own words come before our tables."""
    known = repeats_by_name(names)
    if known is Repeats.LAST:
        return known
    if _NAMED_AGAIN.search(about):
        return Repeats.KEEP
    if _LIST_HINT.search(hint) or "comma-separated" in about:
        return Repeats.JOIN
    return known or Repeats.LAST
