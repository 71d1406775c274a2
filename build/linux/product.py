"""What is built: its names, its version, and the moment that every file of a package is dated at.

Two builds of one commit are the same, byte for byte, as long as the bundle is: `SOURCE_DATE_EPOCH` is heeded, and where
it is not set the moment is that of the commit (https://reproducible-builds.org/specs/source-date-epoch/).
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

PACKAGE = "llamero"
ROOT = Path(__file__).resolve().parent.parent.parent
# How dpkg and AppImage call a machine that Python calls otherwise.
_DEBIAN_NAMES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_KERNEL_NAMES = {"amd64": "x86_64", "arm64": "aarch64"}


@dataclass(frozen=True)
class Product:
    """A bundle and what is to be said of it. `architecture` is Debian's name; `moment` is in seconds since 1970."""

    bundle: Path
    version: str
    architecture: str
    moment: int

    @property
    def machine(self) -> str:
        """The architecture as the kernel calls it."""
        return _KERNEL_NAMES[self.architecture]


def debian_architecture(machine: str | None = None) -> str:
    """Return dpkg's name for a machine, this one by default. Raises SystemExit for one that nothing is built for."""
    name = (machine or platform.machine()).lower()
    if name not in _DEBIAN_NAMES:
        raise SystemExit(f"Llamero is built for {' and '.join(sorted({*_DEBIAN_NAMES}))}, not for {name}.")
    return _DEBIAN_NAMES[name]


def source_moment() -> int:
    """`SOURCE_DATE_EPOCH`, else when the commit that is checked out was made, else the start of 1980."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    if given:
        return int(given)
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 and done.stdout.strip() else 315_532_800
