"""The notes of a release: its section of the changelog, if the tag, the version and the changelog agree.

    python build/release/notes.py v1.2.3

Needs nothing installed. A release that calls itself otherwise than its tag is not to be repaired afterwards.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def notes(tag: str, version: str, changelog: str) -> str:
    """Return what `changelog` says of a version. Raises SystemExit where one of the three says something else."""
    if tag != f"v{version}":
        raise SystemExit(f"The tag is {tag}, and backend/llamero/__init__.py says {version}: they must be the same.")
    sections = re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]
    for section in sections:
        heading, _, body = section.partition("\n")
        if re.fullmatch(rf"\[?{re.escape(version)}\]? - \d{{4}}-\d\d-\d\d", heading.strip()):
            if not body.strip():
                raise SystemExit(f"CHANGELOG.md says nothing of {version}.")
            return body.strip() + "\n"
    raise SystemExit(f"CHANGELOG.md has no heading `## {version} - YYYY-MM-DD`.")


def source_version(source: str) -> str:
    """Read the version from the text of the package's `__init__.py`. Raises SystemExit where it is not there."""
    found = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if found is None:
        raise SystemExit("backend/llamero/__init__.py says no version.")
    return found[1]


def main() -> int:
    """Print the notes for the tag that the command line names."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: notes.py TAG")
    version = source_version((ROOT / "backend/llamero/__init__.py").read_text(encoding="utf-8"))
    sys.stdout.write(notes(sys.argv[1], version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
