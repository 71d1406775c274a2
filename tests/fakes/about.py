"""A program about itself, as a page would be told of a package."""

from __future__ import annotations

from llamero.models.about import About, LicenseSummary, Place, PlaceName
from llamero.models.build import BuildInfo, ThirdPartyLicense
from llamero.models.errors import NotFound

LICENSES = (
    ThirdPartyLicense(name="aiohttp", version="3.14.5", license="Apache-2.0 AND MIT", text="Apache License\n" * 60),
    ThirdPartyLicense(name="msgspec", version="0.22.0", license="BSD-3-Clause", text="Redistribution and use"),
    ThirdPartyLicense(name="PySide6_Essentials", version="6.11.3", license="LGPL-3.0-only", text=""),
)
HOME = "/home/ana/.local"


class FakeAbout:
    """Notes what it is asked to open."""

    def __init__(self) -> None:
        self.opened: list[PlaceName] = []

    async def about(self) -> About:
        build = BuildInfo(
            version="0.1.0", commit="0123456789abcdef0123456789abcdef01234567", built="2026-11-20T10:00:00Z"
        )
        return About(
            build=build,
            engine="Built in (cpu), version: 11549 (xllamacpp 2026.10.11549)",
            system="Linux 6.12.0 (x86_64)",
            python="3.13.1",
            places=(
                Place(name=PlaceName.DATA, path=f"{HOME}/share/llamero"),
                Place(name=PlaceName.LOGS, path=f"{HOME}/state/llamero/log"),
                Place(name=PlaceName.SETTINGS, path="/home/ana/.config/llamero/settings.toml"),
            ),
        )

    async def licenses(self) -> tuple[LicenseSummary, ...]:
        return tuple(LicenseSummary(name=one.name, version=one.version, license=one.license) for one in LICENSES)

    async def license(self, name: str) -> ThirdPartyLicense:
        for one in LICENSES:
            if one.name == name:
                return one
        raise NotFound("about_error-no_such_license", name=name)

    async def open_place(self, name: PlaceName) -> None:
        self.opened.append(name)
