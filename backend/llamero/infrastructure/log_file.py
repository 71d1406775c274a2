"""The log's file, opened for its user in a program that shows text.

The page cannot say which file: the path is known from the start, so that nothing that a model wrote can have a program
of the machine open something else. What is at the path must be a plain file, and not a link to one.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.models.errors import IoFailed

FileShower = Callable[[Path], bool]


class LogFile:
    """One log. `show` starts a program for it and says whether there was one to start."""

    def __init__(self, path: Path, show: FileShower | None = None) -> None:
        self.path = path
        self._show = show or _show_by_system

    async def open(self) -> None:
        """Show it. Raises IoFailed where there is no such file, or no program for it."""
        if not _is_plain_file(self.path):
            raise IoFailed("bridge_error-no_log_file", path=str(self.path))
        if not await in_daemon_thread(lambda: self._show(self.path), "open-log"):
            raise IoFailed("bridge_error-no_text_program", path=str(self.path))


def _is_plain_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _show_by_system(path: Path) -> bool:
    """Start the user's program for text."""
    displays = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform == "win32":
        command = ["notepad.exe", str(path)]
    elif sys.platform == "darwin":
        command = ["/usr/bin/open", "-t", str(path)]
    elif displays:
        command = ["xdg-open", str(path)]
    else:
        return False
    try:
        program = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False
    # `open` and `xdg-open` leave at once; an editor that stays has started.
    try:
        return program.wait(5.0) == 0
    except subprocess.TimeoutExpired:
        return True
