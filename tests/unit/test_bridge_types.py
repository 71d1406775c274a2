"""The page's types are made from the Structs: a change on one side shows on the other, or here."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT


def test_bridge_types_after_a_change_of_the_structs_are_written_again() -> None:
    check = subprocess.run([sys.executable, ROOT / "build" / "generate_bridge_types.py", "--check"], timeout=60)
    assert check.returncode == 0, "run: python build/generate_bridge_types.py"
