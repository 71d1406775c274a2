"""What Llamero says about itself, and what it opens for its user."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero import __version__
from llamero.infrastructure.licenses import installed_licenses
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.native_open import folder_command, text_command
from llamero.infrastructure.paths import find_paths
from llamero.models.about import PlaceName
from llamero.models.errors import IoFailed, NotFound
from llamero.models.settings import EngineSettings
from llamero.services.about import AboutService


class Shower:
    """Notes what is shown; there is a program for it, unless a test says otherwise."""

    def __init__(self) -> None:
        self.shown: list[Path] = []
        self.works = True

    def __call__(self, path: Path) -> bool:
        self.shown.append(path)
        return self.works


@pytest.fixture
def shower() -> Shower:
    return Shower()


@pytest.fixture
def about(tmp_path: Path, shower: Shower) -> AboutService:
    paths = find_paths(tmp_path / "data")
    paths.prepare()
    return AboutService(paths, EngineSettings(), default_messages(), show_folder=shower, show_text=shower)


async def test_about_says_build_engine_and_places(about: AboutService, tmp_path: Path) -> None:
    told = await about.about()
    assert told.build.version == __version__
    assert told.engine.startswith("Built in (cpu), version")
    assert {place.name: Path(place.path) for place in told.places}[PlaceName.LOGS] == tmp_path / "data" / "logs"


async def test_about_with_an_engine_that_is_missing_says_none(tmp_path: Path) -> None:
    service = AboutService(find_paths(tmp_path), EngineSettings(path="/nowhere/llama-server"), default_messages())
    assert (await service.about()).engine == ""


async def test_place_is_opened_by_its_name(about: AboutService, shower: Shower, tmp_path: Path) -> None:
    await about.open_place(PlaceName.LOGS)
    assert shower.shown == [tmp_path / "data" / "logs"]


async def test_settings_file_that_does_not_exist_is_not_opened(about: AboutService, shower: Shower) -> None:
    with pytest.raises(IoFailed) as failed:
        await about.open_place(PlaceName.SETTINGS)
    assert failed.value.code == "about_error-no_such_place"
    assert shower.shown == []


async def test_place_without_a_program_for_it_says_where_it_is(about: AboutService, shower: Shower) -> None:
    shower.works = False
    with pytest.raises(IoFailed) as failed:
        await about.open_place(PlaceName.DATA)
    assert failed.value.code == "about_error-no_file_program"


async def test_licenses_in_a_checkout_are_those_of_what_is_needed_with_their_texts(about: AboutService) -> None:
    names = {one.name for one in await about.licenses()}
    assert {"aiohttp", "multidict", "msgspec"} <= names  # multidict: needed by aiohttp
    assert not names & {"llamero", "pytest", "mypy"}
    found = await about.license("msgspec")
    assert (found.license, "Redistribution" in found.text) == ("BSD-3-Clause", True)
    with pytest.raises(NotFound):
        await about.license("pytest")


def test_licenses_of_something_that_is_not_installed_are_none() -> None:
    assert installed_licenses("no-such-distribution") == ()


@pytest.mark.parametrize(
    ("system", "environment", "folder", "text"),
    [
        ("win32", {}, ("explorer.exe", "/d"), ("notepad.exe", "/d")),
        ("darwin", {}, ("/usr/bin/open", "/d"), ("/usr/bin/open", "-t", "/d")),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, ("xdg-open", "/d"), ("xdg-open", "/d")),
        ("linux", {}, None, None),
    ],
)
def test_place_is_shown_by_the_program_of_each_system(
    system: str, environment: dict[str, str], folder: tuple[str, ...] | None, text: tuple[str, ...] | None
) -> None:
    path = Path("/d")
    assert (folder_command(path, system, environment), text_command(path, system, environment)) == (folder, text)
