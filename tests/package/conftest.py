"""The bundle, made once per session and started as its users do: by an ordinary user, without the checkout's Python.

`LLAMERO_BUNDLE` names the folder of a bundle that is there already.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.launch import REPOSITORY


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the bundle that carries its own browser."""
    if named := os.environ.get("LLAMERO_BUNDLE"):
        return Path(named)
    command = [sys.executable, str(REPOSITORY / "build" / "package.py"), "bundle", "--window", "qt"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip())
