"""Walks through directories that may be huge, broken or hostile, and comes back in time.

Bounded in depth, in entries and in seconds, over everything that one walk looks at. A directory is entered once however
many links lead to it, so that loops end; what cannot be read is passed over. How each directory looked is kept, so that
a later look can tell that nothing changed. (A directory that never answers, as on a dead network drive, blocks: walk in
a thread that nobody waits for without end.)
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ENTRY_LIMIT = 20_000
TIME_LIMIT_S = 2.0
DEPTH_LIMIT = 8

Stamp = tuple[int, int, int]


def stamp_of(path: str) -> Stamp | None:
    """How a file or directory looks now; None when it is not there or cannot be seen."""
    try:
        status = Path(path).stat()
    except (OSError, ValueError):
        return None
    return (status.st_ino, status.st_size, status.st_mtime_ns)


class Walk:
    """One walk. `stamps` is how everything looked that it rests on; `cut` names the limit that ended it, if one did."""

    def __init__(
        self,
        *,
        entries: int = ENTRY_LIMIT,
        seconds: float = TIME_LIMIT_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.stamps: dict[str, Stamp | None] = {}
        self.cut = ""
        self._entries = entries
        self._deadline = monotonic() + seconds
        self._monotonic = monotonic
        self._entered: set[tuple[int, int]] = set()

    def stamp(self, path: str) -> Stamp | None:
        """Look at one file or directory, and remember how it looked."""
        self.stamps[path] = stamp = stamp_of(path)
        return stamp

    def in_time(self) -> bool:
        """May the walk go on?"""
        if not self.cut and self._monotonic() > self._deadline:
            self.cut = "time"
        return not self.cut

    def files(self, root: str, ending: str, *, follow: bool, depth: int = DEPTH_LIMIT) -> Iterator[str]:
        """Yield the paths of files below `root` with that ending, sorted within each directory.

        `follow`: go into directories that are links. Links to files are yielded in any case. Hidden ones are not.
        """
        ahead = [(root, depth)]
        while ahead and self.in_time():
            directory, left = ahead.pop()
            found, below = self._split(directory, ending, follow=follow)
            yield from found
            if left > 0:
                ahead += [(one, left - 1) for one in reversed(below)]

    def entries(self, directory: str) -> list[os.DirEntry[str]]:
        """What is in one directory, sorted by name; empty when it cannot be read or was entered before."""
        self.stamp(directory)
        entries: list[os.DirEntry[str]] = []
        try:
            status = Path(directory).stat()
            key = (status.st_dev, status.st_ino)
            if key in self._entered:
                return []
            self._entered.add(key)
            with os.scandir(directory) as scanned:
                for entry in scanned:
                    self._entries -= 1
                    if self._entries < 0:
                        self.cut = "entries"
                    if not self.in_time():
                        break
                    entries.append(entry)
        except (OSError, ValueError):
            return []
        return sorted(entries, key=lambda entry: entry.name)

    def _split(self, directory: str, ending: str, *, follow: bool) -> tuple[list[str], list[str]]:
        """The wanted files of one directory, and the directories in it."""
        files: list[str] = []
        directories: list[str] = []
        for entry in self.entries(directory):
            if entry.name.startswith("."):
                continue
            try:
                if entry.is_dir(follow_symlinks=follow):
                    directories.append(entry.path)
                elif entry.name.lower().endswith(ending):
                    files.append(entry.path)
            except OSError:
                continue
        return files, directories
