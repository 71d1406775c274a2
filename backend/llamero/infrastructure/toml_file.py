"""Read a TOML file that a person may have edited with anything.

Whatever the file is (absent, a directory, a pipe, 10 MB, another encoding, no TOML), the answer is either its tables
or one fault with its place, in bounded time and memory. Nothing is ever written.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

# Some thirty times what all settings with their comments take.
SIZE_LIMIT = 128 * 1024
# The parser keeps every prefix of a dotted key, so that one line of `a.a.a…` would take quadratic memory. A key cannot
# continue on another line.
_DOTS_PER_LINE = 200

_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
_PLACE = re.compile(r"\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


class TomlFault(msgspec.Struct, frozen=True):
    """Why the file could not be used: a message code and its arguments."""

    code: str
    arguments: dict[str, str | int]


def read_toml(path: Path) -> Mapping[str, object] | TomlFault:
    """Return the tables of the file, none for a file that is missing or empty; a fault where it cannot be used."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for its writer
            return TomlFault("settings_error-not_a_file", {"path": str(path)})
        if status.st_size > SIZE_LIMIT:
            return TomlFault("settings_error-too_large", {"path": str(path), "limit": SIZE_LIMIT // 1024})
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else None
        return TomlFault("settings_error-unreadable", {"path": str(path), "reason": reason or str(error)})
    return _parse(content, path)


def _parse(content: bytes, path: Path) -> Mapping[str, object] | TomlFault:
    import tomllib  # 14 ms that a machine without a settings file need not spend

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        utf16 = content.startswith(_BYTE_ORDER_MARKS)
        return TomlFault(
            "settings_error-not_utf8",
            {"path": str(path), "line": "" if utf16 else content.count(b"\n", 0, error.start) + 1},
        )
    for number, line in enumerate(text.split("\n"), 1):
        if line.count(".") > _DOTS_PER_LINE and not line.lstrip().startswith("#"):
            return _invalid(path, "a line with that many dots is not read", number, 1)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        place = _PLACE.search(str(error))
        reason = _PLACE.sub("", str(error))
        if place and place["line"]:
            return _invalid(path, reason, int(place["line"]), int(place["column"]))
        return _invalid(path, reason, text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1)
    except RecursionError:
        return _invalid(path, "Brackets nest too deeply", None, None)
    except ValueError as error:  # a number of thousands of digits
        return _invalid(path, str(error).partition(";")[0], None, None)


def _invalid(path: Path, reason: str, line: int | None, column: int | None) -> TomlFault:
    place: dict[str, str | int] = {} if line is None or column is None else {"line": line, "column": column}
    return TomlFault("settings_error-invalid_toml", {"path": str(path), "reason": reason, **place})
