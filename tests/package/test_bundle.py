"""The bundle answers without the Python that it was made with."""

from __future__ import annotations

import subprocess
from pathlib import Path

from llamero import __version__


def test_bundle_says_its_version_commit_and_day(bundle: Path) -> None:
    done = subprocess.run([bundle / "llamero", "--version"], capture_output=True, text=True, env={}, check=True)
    assert done.stderr == ""
    assert done.stdout.startswith(f"llamero {__version__} (")
    assert ", built " in done.stdout
