"""Newer releases: looked for when a person asks, or once a day where the settings say so. Nothing is ever installed.

A feed that tells of an older version, or of this one, is no news, whoever signed it: an old feed that is sent again can
lead nobody back to a release with a known hole.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace

from llamero.models.errors import Conflict, LlameroError, NotFound
from llamero.models.updates import Release, ReleaseFile, UpdateReport

logger = logging.getLogger(__name__)

FIRST_S, DAY_S = 60.0, 86_400.0
_STEP = 1024 * 1024


class Releases(Protocol):
    """Where releases are told of: `infrastructure.updates.client.UpdateClient`."""

    async def newest(self) -> Release: ...  # noqa: D102
    async def fetch(self, file: ReleaseFile, folder: Path, progress: Callable[[int], None]) -> Path: ...  # noqa: D102


class UpdateService:
    """`releases` is None for a build that knows no feed. `target` is the package that suits this system."""

    def __init__(self, releases: Releases | None, current: str, target: str, folder: Path) -> None:
        self._releases = releases
        self._target = target
        self._folder = folder
        self._release: Release | None = None
        self._fetching: asyncio.Task[Path] | None = None
        self.report = UpdateReport(possible=releases is not None, current=current)
        """What is known now."""
        self.on_change: Callable[[UpdateReport], None] = lambda report: None
        self.on_downloaded: Callable[[str], None] = lambda name: None

    async def check(self) -> UpdateReport:
        """Ask the feed. Raises NotFound for a build without one, and UpstreamFailed."""
        release = self._release = await self._known_releases().newest()
        newer = _numbers(release.version) > _numbers(self.report.current)
        file = self._file() if newer else None
        if release.version != self.report.newest:
            self.report = UpdateReport(possible=True, current=self.report.current)
        self._tell(
            newest=release.version,
            newer=newer,
            page=release.page if newer and release.page.startswith("https://") else None,
            file=None if file is None else file.name,
            total=None if file is None else file.size,
        )
        return self.report

    async def download(self) -> UpdateReport:
        """Fetch the package of the newer release, and verify it.

        Raises NotFound, Conflict while that is under way, UpstreamFailed, and IoFailed.
        """
        releases, file = self._known_releases(), self._file() if self.report.newer else None
        if file is None:
            raise NotFound("update_error-nothing_to_fetch")
        if self._fetching is not None:
            raise Conflict("update_error-under_way")
        self._tell(done=0, path=None)
        self._fetching = asyncio.create_task(releases.fetch(file, self._folder, self._progress), name="update")
        try:
            path = await self._fetching
        except BaseException:  # also when whoever asked for it has gone
            self._tell(done=None)
            raise
        finally:
            self._fetching = None
        self._tell(done=None, path=str(path))
        self.on_downloaded(file.name)
        return self.report

    async def look_daily(self, wanted: Callable[[], bool], sleep: Callable[[float], Awaitable[None]]) -> None:
        """Look once a day as long as it is wanted; runs until it is cancelled. What fails is tried the next day."""
        await sleep(FIRST_S)
        while True:
            if wanted() and self._releases is not None:
                try:
                    await self.check()
                except LlameroError as error:
                    logger.info("no news of releases: %s", error)
            await sleep(DAY_S)

    def _known_releases(self) -> Releases:
        if self._releases is None:
            raise NotFound("update_error-no_feed")
        return self._releases

    def _file(self) -> ReleaseFile | None:
        files = () if self._release is None else self._release.files
        return next((file for file in files if file.target == self._target), None)

    def _progress(self, received: int) -> None:
        if received - (self.report.done or 0) >= _STEP:
            self._tell(done=received)

    def _tell(self, **changes: object) -> None:
        self.report = replace(self.report, **changes)
        self.on_change(self.report)


def _numbers(version: str) -> tuple[int, ...]:
    """For comparing: 0.2 is 0.2.0. A suffix of a version under development does not count."""
    numbers = [int(part) for part in version.split("+")[0].split(".") if part.isdecimal()]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)
