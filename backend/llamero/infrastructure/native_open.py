"""Starts the user's own program for a file or a folder of Llamero's.

Nothing here is called with a path that a page has named: the places are known from the start, so that nothing that a
model wrote can have a program of the machine open something else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from llamero.infrastructure.processes.console import NO_CONSOLE_WINDOW

# What stays open has started; `open` and `xdg-open` leave at once.
_PATIENCE_S = 5.0


def text_command(path: Path, system: str, environment: Mapping[str, str]) -> Sequence[str] | None:
    """What shows a text file on a system; None without a desktop. `system` is as `sys.platform` has it."""
    match system:
        case "win32":
            return ("notepad.exe", str(path))
        case "darwin":
            return ("/usr/bin/open", "-t", str(path))
    return _xdg(path, environment)


def folder_command(path: Path, system: str, environment: Mapping[str, str]) -> Sequence[str] | None:
    """What shows a folder on a system; None without a desktop."""
    match system:
        case "win32":
            return ("explorer.exe", str(path))
        case "darwin":
            return ("/usr/bin/open", str(path))
    return _xdg(path, environment)


def show_text(path: Path) -> bool:
    """Show a text file; False where no program could be started. Blocks for some seconds at most."""
    return _start(text_command(path, sys.platform, os.environ))


def show_folder(path: Path) -> bool:
    """Show a folder; False where no program could be started. Blocks for some seconds at most."""
    return _start(folder_command(path, sys.platform, os.environ))


def _xdg(path: Path, environment: Mapping[str, str]) -> Sequence[str] | None:
    displays = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    return ("xdg-open", str(path)) if displays else None


def _start(command: Sequence[str] | None) -> bool:
    if command is None:
        return False
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            creationflags=NO_CONSOLE_WINDOW,
        )
    except OSError:
        return False
    try:
        # Explorer shows the folder and leaves with 1.
        return program.wait(_PATIENCE_S) == 0 or command[0] == "explorer.exe"
    except subprocess.TimeoutExpired:
        return True
