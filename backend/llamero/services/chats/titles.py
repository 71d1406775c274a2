"""A title from what was said: its first line of prose, without markup, cut at a word.

Characters that cannot be seen or that turn the direction of writing are left out; they would spoil the list that the
title stands in.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_TITLE = 60

_FENCE = re.compile(r"\s*(```|~~~)")
_IMAGE_OR_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_LINE_MARKS = re.compile(r"^\s*(?:(?:#{1,6}|>|[-*+]|\d{1,9}[.)])\s+)*")
_RULE = re.compile(r"^\s*(?:[-*_=#>]\s*)+$")
_EMPHASIS = re.compile(r"(\*{1,3}|~~|`+|(?<!\w)_{1,3})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # format characters too, but words and emoji are made with them
# Letters, marks and symbols that show nothing, in which text for models can hide (Unicode:
# Default_Ignorable_Code_Point, and the empty cell of braille).
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0d\uffa0\U000e0100-\U000e01ef]")
# These two make a symbol a sign or an emoji; behind anything else they show nothing either.
_SELECTORS = "\ufe0e\ufe0f"
_STRAY_SELECTORS = re.compile(rf"(?<=[^\W\d_])[{_SELECTORS}]+|(?<=[\s{_SELECTORS}])[{_SELECTORS}]+")


def title_of(text: str) -> str:
    """Return at most 60 characters for a list of conversations; empty where the text has nothing to show."""
    prose, code = _first_lines(text)
    return _cut(prose or code)


def clean_title(title: str) -> str:
    """Make a title that a person typed one line of visible characters; empty where none are left."""
    visible = (
        c if c in _JOINERS or unicodedata.category(c) not in _INVISIBLE else " " if c.isspace() else ""
        for c in _BLANK.sub("", title)
    )
    words = _STRAY_SELECTORS.sub("", "".join(visible)).split()
    return " ".join(words).lstrip(f" {_JOINERS}{_SELECTORS}").rstrip(f" {_JOINERS}")


def _first_lines(text: str) -> tuple[str, str]:
    """The first line outside of code fences and the first inside; empty where there is none."""
    code, fenced = "", False
    # A long paste has its first words at its beginning; the rest need not be looked at.
    for line in text[:20_000].splitlines():
        if _FENCE.match(line):
            fenced = not fenced
        elif fenced:
            code = code or clean_title(line)
        elif not _RULE.match(line) and (plain := clean_title(_without_marks(line))):
            return plain, code
    return "", code


def _without_marks(line: str) -> str:
    line = _IMAGE_OR_LINK.sub(r"\1", _LINE_MARKS.sub("", line[:2000]))
    for _ in range(3):  # emphasis within emphasis
        line = _EMPHASIS.sub(r"\2", line)
    return line


def _cut(line: str) -> str:
    if len(line) <= LONGEST_TITLE:
        return line
    part = line[: LONGEST_TITLE - 1]
    words = part if line[LONGEST_TITLE - 1].isspace() else part.rpartition(" ")[0]
    # One very long word, or a script without spaces: cut between characters, not within one.
    if len(words) < LONGEST_TITLE // 3:
        words = part
        while words and _continues(line[len(words)], words[-1]):
            words = words[:-1]
    return words.rstrip(" ,;:.-–—(") + "…"


def _continues(following: str, last: str) -> bool:
    """Do these two characters make one for the eye: an accent, a skin tone, a joined emoji?"""
    joins = unicodedata.category(following) in ("Mn", "Mc", "Me") or "\U0001f3fb" <= following <= "\U0001f3ff"
    return joins or following in _JOINERS or last in _JOINERS
