"""The program about itself: build, engine, places, licenses. What is slow to find out is found out once, when asked."""

from __future__ import annotations

import asyncio
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from llamero.infrastructure.build_info import read_build_info
from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.infrastructure.licenses import third_party_licenses
from llamero.infrastructure.llama.engines import engine_version, find_engine
from llamero.infrastructure.messages import Messages
from llamero.infrastructure.native_open import show_folder, show_text
from llamero.infrastructure.paths import Paths
from llamero.models.about import About, LicenseSummary, Place, PlaceName
from llamero.models.build import ThirdPartyLicense
from llamero.models.errors import EngineFailed, EngineNotFound, IoFailed, NotFound
from llamero.models.settings import EngineSettings

Show = Callable[[Path], bool]


class AboutService:
    """`show_folder` and `show_text` start a program for a path, and say whether there was one to start."""

    def __init__(
        self,
        paths: Paths,
        engine: EngineSettings,
        messages: Messages,
        *,
        show_folder: Show = show_folder,
        show_text: Show = show_text,
    ) -> None:
        self._engine_settings = engine
        self._data_dir = paths.data_dir
        self._messages = messages
        self._show_folder = show_folder
        self._show_text = show_text
        self._places: Mapping[PlaceName, Path] = {
            PlaceName.DATA: paths.data_dir,
            PlaceName.MODELS: paths.models,
            PlaceName.LOGS: paths.logs,
            PlaceName.CACHE: paths.cache,
            PlaceName.SETTINGS: paths.settings_file,
            PlaceName.UPDATES: paths.updates,
        }
        self._licenses: tuple[ThirdPartyLicense, ...] = ()

    async def about(self) -> About:
        """All of it. Asks the engine for its version, which takes a moment."""
        return About(
            build=await asyncio.to_thread(read_build_info),
            engine=await self._engine(),
            system=f"{platform.system()} {platform.release()} ({platform.machine()})",
            python=sys.version.partition(" ")[0],
            places=tuple(
                Place(name=name, path=str(path)) for name, path in self._places.items() if name is not PlaceName.UPDATES
            ),
        )

    async def licenses(self) -> tuple[LicenseSummary, ...]:
        """Whose work is in Llamero."""
        works = await self._all_licenses()
        return tuple(LicenseSummary(name=one.name, version=one.version, license=one.license) for one in works)

    async def license(self, name: str) -> ThirdPartyLicense:
        """One work with the text of its license. Raises NotFound."""
        for one in await self._all_licenses():
            if one.name == name:
                return one
        raise NotFound("about_error-no_such_license", name=name)

    async def open_place(self, name: PlaceName) -> None:
        """Show a place. Raises IoFailed where it is missing, or no program could be started for it."""
        path, show = self._places[name], self._show_folder
        is_there = path.is_dir
        if name is PlaceName.SETTINGS:
            is_there, show = path.is_file, self._show_text
        if not await asyncio.to_thread(is_there):
            raise IoFailed("about_error-no_such_place", path=str(path))
        if not await in_daemon_thread(lambda: show(path), "open-place"):
            raise IoFailed("about_error-no_file_program", path=str(path))

    async def _all_licenses(self) -> tuple[ThirdPartyLicense, ...]:
        if not self._licenses:
            self._licenses = await asyncio.to_thread(third_party_licenses)
        return self._licenses

    async def _engine(self) -> str:
        try:
            engine = await asyncio.to_thread(find_engine, self._engine_settings, self._data_dir)
            version = await engine_version(engine)
        except (EngineNotFound, EngineFailed):
            return ""
        arguments = {"kind": engine.kind.value, "variant": engine.variant, "version": version}
        return self._messages.text("about-engine", arguments)
