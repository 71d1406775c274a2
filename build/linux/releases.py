"""The releases that `CHANGELOG.md` tells of, for the places that want them in forms of their own.

`CHANGELOG.md` stays the one place where changes are written down: AppStream's metadata and Debian's changelog are made
from it. What is "Unreleased" there is the version that is being built.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import formatdate
from html import escape

from identity import MAINTAINER

# What a heading of Keep a Changelog looks like: `## 1.2.0 - 2026-01-31`, or `## Unreleased`; brackets may be there.
_HEADING = re.compile(r"## \[?(?P<version>[^\]\s]+)\]?(?: - (?P<date>\d{4}-\d{2}-\d{2}))?", re.ASCII)
_UNRELEASED = "unreleased"


@dataclass(frozen=True)
class Release:
    """A version, when it came (seconds since 1970, UTC), and what is new, one sentence or more per change."""

    version: str
    moment: int
    changes: tuple[str, ...]

    @property
    def day(self) -> str:
        """As ISO 8601 has it."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.moment))


def read_releases(changelog: str, version: str, moment: int) -> tuple[Release, ...]:
    """Return what the changelog tells of, newest first; `version` is built now, at `moment`.

    Where the changelog does not know `version` yet, it is what is unreleased.
    """
    found = [
        Release(
            version if name.lower() == _UNRELEASED else name,
            _midnight(day) if day else moment,
            tuple(_changes(body)),
        )
        for name, day, body in _sections(changelog)
    ]
    if not any(release.version == version for release in found):
        found.insert(0, Release(version, moment, ("A new build.",)))
    return tuple(found)


def as_appstream(releases: tuple[Release, ...]) -> str:
    """The `<releases>` of a metainfo file, without what each brings: that is for software centers to show in a line."""
    rows = (f'    <release version="{escape(one.version)}" date="{one.day}"/>' for one in releases)
    return "\n".join(("  <releases>", *rows, "  </releases>"))


def as_debian(releases: tuple[Release, ...], package: str) -> str:
    """A `changelog.Debian`, see deb-changelog(5)."""
    return "\n".join(_debian_entry(release, package) for release in releases)


def _debian_entry(release: Release, package: str) -> str:
    changes = "\n".join(_wrapped(change) for change in release.changes)
    date = formatdate(release.moment)
    return f"{package} ({release.version}) stable; urgency=medium\n\n{changes}\n\n -- {MAINTAINER}  {date}\n"


def _wrapped(change: str) -> str:
    import textwrap

    return textwrap.fill(change, width=76, initial_indent="  * ", subsequent_indent="    ", break_on_hyphens=False)


def _sections(changelog: str) -> Iterator[tuple[str, str | None, str]]:
    headings = list(re.finditer(r"^## .*$", changelog, re.MULTILINE))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    for heading, end in zip(headings, ends, strict=True):
        parts = _HEADING.fullmatch(heading[0].strip())
        if parts is None:
            raise ValueError(f"CHANGELOG.md: {heading[0]!r} is neither a version with its day nor Unreleased")
        yield parts["version"], parts["date"], changelog[heading.end() : end]


def _changes(body: str) -> Iterator[str]:
    """Every item of a list, on one line and without Markdown's quotes."""
    for item in re.finditer(r"^\* (.*(?:\n(?:  .*))*)", body, re.MULTILINE):
        yield " ".join(item[1].split()).replace("`", "").replace("**", "")


def _midnight(day: str) -> int:
    from calendar import timegm

    return timegm(time.strptime(day, "%Y-%m-%d"))
