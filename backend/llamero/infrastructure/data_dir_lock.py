"""One Llamero for one data directory, by a lock on the open file `run/lock` that ends with the process.

The system drops the lock however the process ends, kill -9 included, so there is nothing stale to clean up. The file
stays, since removing it would let two processes lock two files of the same name; its text, the holder's pid, is only
for messages. POSIX locks the file by `flock`: unlike a record lock it also excludes a second holder within this
process, and is not lost when some other code closes the same file. The descriptor is not inherited by children that
`exec`; one that forks without `exec` would share the lock.
"""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from types import TracebackType

from llamero.models.errors import IoFailed

# Windows locks bytes, and locked bytes cannot be read: lock one far behind the pid.
_WINDOWS_LOCK_OFFSET = 1 << 30
_TAKEN = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN, errno.EDEADLK}


class DataDirLock:
    """The lock of a data directory: `with DataDirLock(paths.run): …`, or `acquire` and `release`."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock without waiting.

        Raises `IoFailed`: `data_error-in_use` with the holder's `pid` (absent when not known), or
        `data_error-directory_unwritable` when the lock file cannot be made.
        """
        if self._descriptor is not None:
            return
        path = self._run_dir / "lock"
        try:
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
            descriptor = os.open(path, flags, 0o600)
        except OSError as error:
            reason = error.strerror or str(error)
            raise IoFailed("data_error-directory_unwritable", path=str(self._run_dir), reason=reason) from error
        try:
            _lock(descriptor)
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
        except OSError as error:
            refusal = self._refusal(error, descriptor)
            os.close(descriptor)
            raise refusal from error
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; without effect when it is not held."""
        if self._descriptor is None:
            return
        descriptor, self._descriptor = self._descriptor, None
        try:
            os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def __enter__(self) -> DataDirLock:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _refusal(self, error: OSError, descriptor: int) -> IoFailed:
        if error.errno not in _TAKEN:
            reason = error.strerror or str(error)
            return IoFailed("data_error-directory_unwritable", path=str(self._run_dir), reason=reason)
        place = str(self._run_dir.parent)
        pid = _read_pid(descriptor)
        return (
            IoFailed("data_error-in_use", path=place)
            if pid is None
            else IoFailed("data_error-in_use", path=place, pid=pid)
        )


def is_held(run_dir: Path) -> bool:
    """Does a process hold the directory? One that is missing or cannot be used is held by nobody."""
    if not (run_dir / "lock").exists():
        return False
    lock = DataDirLock(run_dir)
    try:
        lock.acquire()
    except IoFailed as error:
        return error.code == "data_error-in_use"
    lock.release()
    return False


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        os.lseek(descriptor, _WINDOWS_LOCK_OFFSET, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read_pid(descriptor: int) -> int | None:
    """Read the holder's pid; None in the moment before it is written."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    except OSError:
        return None
    return int(text) if text.isdecimal() and text.isascii() else None
