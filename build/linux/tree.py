"""Trees of files that become packages: copied, with permissions and times that do not depend on who builds."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from linux.programs import forget_foreign_places

# Loaded, and started by nobody.
_LIBRARY = re.compile(r"\.so(\.\d+)*$")


def copy_bundle(bundle: Path, target: Path) -> None:
    """Copy a bundle, and let nothing in it name the machine that built it. For permissions see `normalize`."""
    shutil.copytree(bundle, target, symlinks=True)
    forget_foreign_places(target)


def write(path: Path, content: str | bytes, *, executable: bool = False) -> None:
    """Write a file whose directory may be missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755 if executable else 0o644)


def normalize(root: Path, moment: int) -> None:
    """Make everything below `root`, and itself, readable for all, writable for its owner, and dated at `moment`.

    Links are dated, too. Who may execute a file is whoever may now, nobody or everybody; libraries are for nobody.
    """
    for path in [*_walk(root), root]:
        if not path.is_symlink():
            executable = path.is_dir() or (path.stat().st_mode & 0o100 and not _LIBRARY.search(path.name))
            path.chmod(0o755 if executable else 0o644)
        os.utime(path, (moment, moment), follow_symlinks=False)


def size_kib(root: Path) -> int:
    """What the files take, in KiB, each rounded up, as `Installed-Size` wants it."""
    return sum(-(-path.lstat().st_size // 1024) or 1 for path in _walk(root))


def files(root: Path) -> list[Path]:
    """Every regular file, in an order that is always the same."""
    return sorted(path for path in _walk(root) if path.is_file() and not path.is_symlink())


def _walk(root: Path) -> Iterator[Path]:
    for folder, directories, names in os.walk(root):
        for name in (*directories, *names):
            yield Path(folder, name)
