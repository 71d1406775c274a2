"""Whoever publishes builds of their own changes one file, and every package says the new names."""

from __future__ import annotations

from pathlib import Path

import identity

BUILD = Path(identity.__file__).parent
WORKFLOWS = BUILD.parent / ".github"


def test_names_of_the_makers_are_written_down_once() -> None:
    sources = [path for folder in (BUILD, WORKFLOWS) for path in folder.rglob("*") if path.is_file()]
    texts = [path for path in sources if path.suffix not in (".pyc", ".png", ".ico", ".icns", ".txt")]
    assert len(texts) > 40
    for name in (identity.APPLICATION_ID, identity.DEVELOPER_ID, identity.MAINTAINER, "llamero.invalid"):
        assert [path.name for path in texts if name in path.read_text(encoding="utf-8")] in ([], ["identity.py"]), name


def test_the_makers_are_those_whose_copyright_it_is() -> None:
    for file in (BUILD.parent / "LICENSE", BUILD / "linux" / "copyright"):
        assert f"2026 {identity.PUBLISHER}" in file.read_text(encoding="utf-8")
