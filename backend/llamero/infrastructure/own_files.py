"""What Llamero has put on the disk, for a person who wants all of it gone.

Only what carries a name of ours is found. A data directory may be any folder that somebody has named, and what else
lies in it is nobody's business here. A link is removed, and what it leads to stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from llamero.infrastructure.paths import Paths

_FILES = ("llamero.db*", "window.json", "remote-keys.json", "remote-key-names.json", ".remote-key*.json.*")


def own_files(paths: Paths, *, models: bool = True) -> tuple[Path, ...]:
    """What there is of ours, each once. Without `models` the folder of downloaded models is left out."""
    folders = [paths.run, paths.logs, paths.cache, paths.engines, paths.updates]
    folders += [paths.models] if models else []
    named = [path for pattern in _FILES for path in sorted(paths.data_dir.glob(pattern))]
    found = [*named, paths.settings_file, *folders]
    there = [path for path in dict.fromkeys(found) if os.path.lexists(path)]
    return tuple(path for path in there if not any(other in path.parents for other in there))


def size_on_disk(path: Path) -> int:
    """Bytes of a file, or of all files below a folder; what cannot be looked at counts nothing."""
    total = 0
    with contextlib.suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            return path.lstat().st_size
        for folder, _, names in os.walk(path):
            for name in names:
                with contextlib.suppress(OSError):
                    total += os.lstat(Path(folder) / name).st_size
    return total


def remove_files(paths: Paths, found: tuple[Path, ...]) -> tuple[Path, ...]:
    """Remove them, and the folders that are empty then; returns what could not be removed."""
    left = []
    for path in found:
        try:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError:
            left.append(path)
    for folder in (paths.data_dir, paths.settings_file.parent, paths.logs.parent, paths.cache.parent):
        if folder.name.lower() == "llamero" or folder == paths.data_dir:
            with contextlib.suppress(OSError):  # something else lies in it
                folder.rmdir()
    return tuple(left)
