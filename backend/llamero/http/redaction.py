"""Keeps where things lie on this machine out of what other programs are told.

A path is shortened to its file name, which is what a person needs to know which file is meant. Relative names are left
alone: model names have slashes. The log has every path whole.
"""

from __future__ import annotations

import re

from llamero.infrastructure.secret_masking import process_secrets

TARGET_LIMIT = 2000

# An absolute path: a drive, a UNC prefix or a slash at the start of a word (but not the slashes of a URL), then
# folders. A folder may have spaces in it, so the match runs to the last separator before a character no path has.
_FOLDERS = re.compile(
    r"""(?: (?<![A-Za-z])[A-Za-z]:[\\/] | (?<!\\)\\\\ | (?: (?<=^) | (?<=[\s'"(=\[,:<`]) ) /(?!/) )"""
    r"""(?: [^\\/:*?"'<>|\n\r`]* [\\/] )*""",
    re.VERBOSE,
)


def shown_target(path: str, query: str) -> str:
    """Return a request's target as it may be shown and kept: without a query that has something like a key in it."""
    whole = f"{path}?{query}"
    return whole if query and process_secrets.apply(whole, TARGET_LIMIT) == whole else path[:TARGET_LIMIT]


def shorten_paths(text: str) -> str:
    """Replace every absolute path in `text` by its last part."""
    return _FOLDERS.sub("", text)
