"""What is made gets its name once it is whole: a step that was cut short leaves nothing that looks finished."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a path beside the target, at which nothing is; what is made there takes the target's place in the end.

    Where the making fails, what was made of it is removed, and the target stays as it was.
    """
    part = target.with_name(f"{target.name}.part")
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove(part)
    try:
        yield part
    except BaseException:
        _remove(part)
        raise
    _remove(target)
    part.rename(target)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
