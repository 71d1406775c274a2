"""What a release's workflow calls: the notes, the tools that are fetched by digest."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import llamero
from release.notes import notes, source_version
from release.tools import TOOLS, Tool, fetch

ROOT = Path(__file__).resolve().parent.parent.parent
CHANGELOG = """# Changelog

## Unreleased

* Later.

## 1.2.0 - 2026-11-30

### Added

* Everything.

## [1.1.0] - 2026-10-01

* Something.
"""


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address at which it is served."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_notes_of_a_version_are_its_section_of_the_changelog() -> None:
    assert notes("v1.2.0", "1.2.0", CHANGELOG) == "### Added\n\n* Everything.\n"
    assert notes("v1.1.0", "1.1.0", CHANGELOG) == "* Something.\n"


@pytest.mark.parametrize(
    ("tag", "version", "complaint"),
    [
        ("v1.2.0", "1.1.0", "must be the same"),
        ("1.2.0", "1.2.0", "must be the same"),
        ("v1.3.0", "1.3.0", "has no heading"),
        ("v1.2", "1.2", "has no heading"),
    ],
)
def test_tag_that_version_or_changelog_do_not_know_makes_no_release(tag: str, version: str, complaint: str) -> None:
    with pytest.raises(SystemExit, match=complaint):
        notes(tag, version, CHANGELOG)


def test_version_is_read_without_importing_the_package() -> None:
    assert source_version((ROOT / "backend/llamero/__init__.py").read_text(encoding="utf-8")) == llamero.__version__


def test_notes_script_for_a_tag_of_another_version_fails_with_a_sentence() -> None:
    command = [sys.executable, ROOT / "build" / "release" / "notes.py", "v0.0.0-never"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "must be the same" in done.stderr
    assert "Traceback" not in done.stderr


def test_tool_that_is_what_its_digest_says_is_fetched_and_may_be_run(shelf: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = shelf
    (folder / "tool-x86_64").write_bytes(b"#!/bin/sh\n")
    tool = Tool(f"{address}/tool-{{machine}}", {"x86_64": hashlib.sha256(b"#!/bin/sh\n").hexdigest()})
    path = fetch("tool", tool, "x86_64", tmp_path / "out")
    assert (path, path.read_bytes()) == (tmp_path / "out" / "tool", b"#!/bin/sh\n")
    assert path.stat().st_mode & 0o111


def test_tool_that_was_exchanged_is_refused_and_not_kept(shelf: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = shelf
    (folder / "tool-x86_64").write_bytes(b"something else")
    tool = Tool(f"{address}/tool-{{machine}}", {"x86_64": hashlib.sha256(b"the tool").hexdigest()})
    with pytest.raises(SystemExit, match="its SHA-256 is"):
        fetch("tool", tool, "x86_64", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_tool_for_an_unknown_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="none for riscv64, only for x86_64, aarch64"):
        fetch("appimagetool", TOOLS["appimagetool"], "riscv64", tmp_path)


def test_every_tool_is_of_one_version_and_known_by_its_digest_on_both_machines() -> None:
    for name, tool in TOOLS.items():
        assert tool.url.startswith("https://"), name
        assert "{machine}" in tool.url, name
        assert not {"continuous", "latest"} & set(tool.url.split("/")), f"{name}: may change at any time"
        assert tool.sha256.keys() == {"x86_64", "aarch64"}, name
        assert all(len(digest) == 64 and int(digest, 16) for digest in tool.sha256.values()), name
