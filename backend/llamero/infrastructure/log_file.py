"""The log's file, opened for its user in a program that shows text.

The page cannot say which file: the path is known from the start, so that nothing that a model wrote can have a program
of the machine open something else. What is at the path must be a plain file, and not a link to one.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.infrastructure.native_open import show_text
from llamero.models.errors import IoFailed

FileShower = Callable[[Path], bool]


class LogFile:
    """One log. `show` starts a program for it and says whether there was one to start."""

    def __init__(self, path: Path, show: FileShower | None = None) -> None:
        self.path = path
        self._show = show or show_text

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
