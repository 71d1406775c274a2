"""The keys of remote servers in a real keyring, on a session bus of its own, and on a machine that has neither."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.launch import REPOSITORY

UNLOCKED = 'printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1 && exec "$@"'

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a session bus is Linux's")


def keep(home: Path, *before: str) -> dict[str, Any]:
    """Run the program in a session that has nothing of ours."""
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(home)}
    command = [*before, sys.executable, "-m", "tests.process.keyring_program", str(home)]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, timeout=60, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_remote_key_is_kept_by_the_systems_keyring(tmp_path: Path) -> None:
    told = keep(tmp_path, "dbus-run-session", "--", "sh", "-c", UNLOCKED, "sh")
    assert told == {"where": "keyring", "key": "kept-by-the-system", "after": None, "file": False}


def test_remote_key_is_kept_in_a_file_where_there_is_no_session_bus(tmp_path: Path) -> None:
    told = keep(tmp_path)
    assert told == {"where": "file", "key": "kept-by-the-system", "after": None, "file": False}
