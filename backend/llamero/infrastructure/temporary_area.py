"""Files that live for minutes: in one directory of ours, for the user alone, named by chance.

Whatever lies in the directory when it is prepared was left by a run that was killed, and is removed: nobody else may
keep anything there. Methods block for as long as the disk does.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import BinaryIO

from llamero.models.errors import IoFailed

_NAME_BYTES = 24


class TemporaryFile:
    """One file, being written until `finish`. `discard` removes it, in whatever state."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file

    def write(self, data: bytes) -> None:
        """Append. Raises IoFailed."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _failed(error) from error

    def finish(self) -> None:
        """Write out what is buffered. Raises IoFailed."""
        try:
            self._file.close()
        except OSError as error:
            raise _failed(error) from error

    def discard(self) -> None:
        """Remove the file. What cannot be removed now is when the area is prepared again."""
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


class TemporaryArea:
    """The directory. It is made when it is prepared."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def prepare(self) -> None:
        """Make the directory and remove what an earlier run left in it. Raises IoFailed."""
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            for left in self._directory.iterdir():
                if left.is_file() or left.is_symlink():
                    left.unlink()
        except OSError as error:
            raise _failed(error) from error

    def create(self) -> TemporaryFile:
        """Begin a file. Raises IoFailed."""
        path = self._directory / secrets.token_urlsafe(_NAME_BYTES)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        try:
            return TemporaryFile(path, os.fdopen(os.open(path, flags, 0o600), "wb"))
        except OSError as error:
            raise _failed(error) from error


def _failed(error: OSError) -> IoFailed:
    return IoFailed(reason=error.strerror or type(error).__name__)
