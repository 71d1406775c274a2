"""The cache of Hugging Face's hub, as its own library and llama.cpp fill it; only read, never changed.

Layout (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): `models--owner--repository/` with `refs/main`
(the newest revision), `snapshots/<revision>/…` (links with the files' real names) and `blobs/` (the files). Names of
directories and contents of `refs` are remote text: each is matched whole before it becomes part of a path, and a link
that leads out of the cache is not followed (CVE-2024-37032 is what comes of joining such text unseen).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from llamero.infrastructure.directory_walk import Walk
from llamero.infrastructure.model_names import ENDING

_REPOSITORY = re.compile(r"models--(?P<owner>[A-Za-z0-9][\w.-]{0,95})--(?P<name>[A-Za-z0-9][\w.-]{0,95})", re.ASCII)
_REVISION = re.compile(r"[0-9a-f]{40}")
_SNAPSHOT_DEPTH = 4


class HubFile(NamedTuple):
    """A file of a repository, by its path in the snapshot: parts of a split model are found by their names."""

    repository: str
    path: str


def find_hub_cache(environ: Mapping[str, str]) -> Path | None:
    """Where the cache is, by the variables that Hugging Face's library reads; None without a home directory."""
    for name, below in (("HF_HUB_CACHE", ""), ("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")):
        if environ.get(name):
            directory = Path(environ[name]) / below
            break
    else:
        directory = Path("~/.cache/huggingface/hub")
    try:
        return directory.expanduser().absolute()
    except (RuntimeError, OSError):
        return None


def hub_files(cache: Path, walk: Walk) -> Iterator[HubFile]:
    """Yield the GGUF files of the newest revision of every repository."""
    root = cache.resolve()
    for entry in walk.entries(str(cache)):
        name = _REPOSITORY.fullmatch(entry.name)
        if name is None or "--" in name["owner"] + name["name"] or not _is_own_directory(entry):
            continue
        snapshot = _newest_snapshot(Path(entry.path), walk)
        if snapshot is None:
            continue
        for path in walk.files(snapshot, ENDING, follow=False, depth=_SNAPSHOT_DEPTH):
            if _is_file_inside(path, root):
                yield HubFile(f"{name['owner']}/{name['name']}", path)


def _newest_snapshot(repository: Path, walk: Walk) -> str | None:
    """The directory of the revision that `refs/main` names, or of the newest one where it names none."""
    snapshots = repository / "snapshots"
    if snapshots.is_symlink():
        return None
    revision = _read_revision(repository / "refs" / "main", walk)
    dated = [
        (entry.name == revision, stamp[2], entry.path)
        for entry in walk.entries(str(snapshots))
        if _REVISION.fullmatch(entry.name) and _is_own_directory(entry) and (stamp := walk.stamp(entry.path))
    ]
    return max(dated)[2] if dated else None


def _read_revision(path: Path, walk: Walk) -> str:
    walk.stamp(str(path))
    try:
        # Not through a link, and never waiting for a pipe that nobody writes to.
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            text = file.read(64).decode("ascii").strip()
    except (OSError, ValueError):
        return ""
    return text if _REVISION.fullmatch(text) else ""


def _is_own_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _is_file_inside(path: str, root: Path) -> bool:
    """Does this path, with all links in it, lead to a regular file in the cache?"""
    try:
        real = Path(path).resolve(strict=True)
        return real.is_relative_to(root) and stat.S_ISREG(real.stat().st_mode)
    except (OSError, ValueError, RuntimeError):  # RuntimeError: links that lead in a circle
        return False
