"""Being asked to end before there is an event loop, at whatever moment."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What is raised in a destructor stays there: Python prints it and goes on.
PROGRAM = """
import os, signal, sys
from llamero.commands.signals import leave_at_once

class Dying:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

leave_at_once(7)
Dying()
print("still here")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends the process there")
def test_leaving_asked_for_where_exceptions_are_lost_leaves_all_the_same() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "")
