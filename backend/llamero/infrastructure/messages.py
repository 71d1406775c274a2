"""Sentences for people, looked up by code in `locale/<language>/*.ftl` (Fluent).

Asking for a sentence never raises: what has no message comes back as its code and arguments, an argument that the
caller forgot reads as "unknown". Numbers are written without thousands separators, since most are ports, exit codes
and sizes that a person may type again; a message that wants them asks with `NUMBER($n, useGrouping: 1)`. Arguments
are made one line each, so that no file or process name can start a line of its own.

Fluent and its number formats take 60–90 ms to import, so they are imported with the first sentence.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llamero.infrastructure.plain_text import one_line
from llamero.models.errors import LlameroError

if TYPE_CHECKING:
    from fluent.runtime import FluentBundle

FALLBACK_LOCALE = "en-US"
MISSING_ARGUMENT = "argument-missing"
LOCALE_DIRECTORY = Path(__file__).resolve().parent.parent / "locale"

Argument = str | int | float

_LOCALE_NAME = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_ABSENT = "Unknown external: "  # how fluent.runtime begins its report of an argument that was not given
# Fluent gives up on any part of a sentence that is longer than 2,500 characters, and a part may hold two arguments.
_ARGUMENT_LIMIT = 1000
# Beyond this a float has no exact integer any more, and the number formats of Fluent refuse to work.
_NUMBER_LIMIT = 1e15

_log = logging.getLogger(__name__)


class Messages:
    """The sentences of one language; those it lacks come from en-US."""

    def __init__(self, locale: str = FALLBACK_LOCALE, *, directory: Path = LOCALE_DIRECTORY) -> None:
        self._directory = directory
        self._locales = list(dict.fromkeys([locale, FALLBACK_LOCALE]))

    def text(self, code: str, arguments: Mapping[str, Argument] | None = None) -> str:
        """Return the sentence for `code`, or the code with its arguments where there is none."""
        values = arguments or {}
        for bundle in self._bundles:
            try:
                sentence = self._format(bundle, code, values)
            except Exception:  # a fault in a translation must not hide the fault that it describes
                _log.debug("message %s cannot be formatted", code, exc_info=True)
                continue
            if sentence is not None:
                return sentence
        if not values:
            return code
        return f"{code} ({', '.join(f'{name}={_plain(value)}' for name, value in values.items())})"

    def error(self, error: LlameroError) -> str:
        """Return the sentence for an error of the tree; its `param` counts as an argument, too."""
        param = {} if error.param is None else {"param": error.param}
        return self.text(error.code, {**param, **error.arguments})

    @functools.cached_property
    def _bundles(self) -> list[FluentBundle]:
        found = (_load(self._directory, locale) for locale in self._locales)
        return [bundle for bundle in found if bundle is not None]

    def _format(self, bundle: FluentBundle, code: str, values: Mapping[str, Argument]) -> str | None:
        from fluent.runtime.errors import FluentReferenceError
        from fluent.runtime.types import FluentNone

        if not bundle.has_message(code) or (pattern := bundle.get_message(code).value) is None:
            return None
        arguments = {name: _given(value) for name, value in values.items()}
        sentence, faults = bundle.format_pattern(pattern, arguments)
        absent = [str(fault).removeprefix(_ABSENT) for fault in faults if isinstance(fault, FluentReferenceError)]
        if absent and code != MISSING_ARGUMENT:
            # FluentNone still counts as not given, but reads as the word rather than as the argument's name.
            word = self.text(MISSING_ARGUMENT)
            arguments |= {name: FluentNone(word) for name in absent}
            sentence, _ = bundle.format_pattern(pattern, arguments)
        return str(sentence)


@functools.cache
def default_messages() -> Messages:
    """The sentences of the fallback language, loaded once per process."""
    return Messages()


def _load(directory: Path, locale: str) -> FluentBundle | None:
    """Read one language. A name that is no language tag is not looked up, since it would be part of a path."""
    from fluent.runtime import FluentBundle, FluentResource

    if not _LOCALE_NAME.fullmatch(locale) or not (directory / locale).is_dir():
        return None
    bundle = FluentBundle([locale], functions={"GIVEN": _is_given}, use_isolating=False)
    for file in sorted((directory / locale).glob("*.ftl")):
        bundle.add_resource(FluentResource(file.read_text(encoding="utf-8")))
    return bundle


def _is_given(value: Any) -> Any:
    """Fluent's `GIVEN($name)`: "yes" when the caller gave a value that is not empty, so a message can do without."""
    from fluent.runtime.types import FluentNone

    return "no" if isinstance(value, FluentNone) or value in ("", None) else "yes"


def _given(value: Argument) -> Any:
    from fluent.runtime.types import fluent_number

    if isinstance(value, str):
        return _cut(one_line(value, _ARGUMENT_LIMIT))
    if isinstance(value, bool) or not -_NUMBER_LIMIT < value < _NUMBER_LIMIT:  # also NaN: no comparison holds
        return _plain(value)
    return fluent_number(value, useGrouping=False)


def _cut(text: str) -> str:
    """Escapes make a text longer than it was."""
    return text if len(text) <= _ARGUMENT_LIMIT + 1 else text[:_ARGUMENT_LIMIT] + "…"


def _plain(value: Argument) -> str:
    if isinstance(value, str):
        return repr(one_line(value, _ARGUMENT_LIMIT))
    try:
        return f"{value:g}" if isinstance(value, float) else str(value)
    except ValueError:  # Python writes no integer of thousands of digits
        return "very large"
