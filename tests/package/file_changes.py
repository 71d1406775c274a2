"""What has changed in a file tree."""

from __future__ import annotations

import os
import stat
import zlib
from pathlib import Path

# Path below the root, and what can be seen of it: mode, owner, and content or target.
Snapshot = dict[str, tuple[object, ...]]


def snapshot(root: Path) -> Snapshot:
    """Look at everything below a folder. Times do not count: what was made again and is the same has not changed."""
    seen: Snapshot = {}
    for folder, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = Path(folder, name)
            facts = path.lstat()
            if stat.S_ISLNK(facts.st_mode):
                seen[str(path.relative_to(root))] = ("link", str(path.readlink()))
            elif stat.S_ISDIR(facts.st_mode):
                seen[str(path.relative_to(root))] = ("directory", facts.st_mode, facts.st_uid)
            else:
                seen[str(path.relative_to(root))] = (facts.st_mode, facts.st_uid, _content(path, facts))
    return seen


def _content(path: Path, facts: os.stat_result) -> int | None:
    return zlib.crc32(path.read_bytes()) if stat.S_ISREG(facts.st_mode) else None


def changes(before: Snapshot, after: Snapshot, apart_from: tuple[str, ...]) -> list[str]:
    """Name what is new, gone or different, but for what is at or below the paths of `apart_from`."""
    different = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return sorted(path for path in different if not any(_within(path, place) for place in apart_from))


def _within(path: str, place: str) -> bool:
    return path == place or path.startswith(f"{place}/")
