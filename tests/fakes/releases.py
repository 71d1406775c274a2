"""Releases of a test: what a feed would say, without a feed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from llamero.models.updates import Release, ReleaseFile

TARGET = "linux-x86_64-deb"
FILE = ReleaseFile(
    name="llamero_0.2.0_amd64.deb",
    target=TARGET,
    url="https://example.com/llamero.deb",
    size=98_000_000,
    sha256="0" * 64,
)
NEWER = Release(version="0.2.0", page="https://example.com/releases/0.2.0", files=(FILE,))


class FakeReleases:
    """Tells of `release`, and fetches a file at once."""

    def __init__(self, release: Release = NEWER) -> None:
        self.release = release
        self.asked = 0

    async def newest(self) -> Release:
        self.asked += 1
        return self.release

    async def fetch(self, file: ReleaseFile, folder: Path, progress: Callable[[int], None]) -> Path:
        progress(file.size)
        return folder / file.name
