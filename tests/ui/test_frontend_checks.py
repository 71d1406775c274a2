"""The page's own checks: types, rules, and the tests that need no browser."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "build"))
from build_frontend import FRONTEND, node_folder, npm_command


@pytest.mark.parametrize("script", ["check", "lint", "test"])
def test_page_passes_its_own(script: str) -> None:
    folder = node_folder()
    assert folder is not None
    environment = dict(os.environ, PATH=f"{folder}{os.pathsep}{os.environ['PATH']}")
    command = [*npm_command(folder), "run", "--silent", script]
    run = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stdout + run.stderr


def test_lock_carries_hashes_and_no_addresses() -> None:
    assert "://" not in (FRONTEND / "package-lock.json").read_text(encoding="utf-8")


def test_raw_colours_and_sizes_are_in_the_tokens_only() -> None:
    for sheet in (FRONTEND / "src" / "styles").glob("*.css"):
        if sheet.name == "tokens.css":
            continue
        lines = [
            line
            for line in sheet.read_text(encoding="utf-8").splitlines()
            if not line.startswith(("@media", "@container"))
        ]
        raw = [line.strip() for line in lines if "px" in line or "oklch(" in line]
        assert [line for line in raw if line not in ALLOWED] == [], sheet.name


# What is hidden from sight and kept for screen readers is one pixel by convention, not by design; what has not been
# laid out yet is given a likely height.
ALLOWED = {
    "width: 1px;",
    "height: 1px;",
    "contain-intrinsic-size: auto 200px;",
    "contain-intrinsic-size: auto 800px;",
}
