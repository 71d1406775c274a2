"""Where a window may stand, and that its place is written once it has settled."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llamero.desktop.geometry import (
    DEFAULT,
    MINIMUM_HEIGHT,
    MINIMUM_WIDTH,
    GeometryKeeper,
    fit_to_screens,
    read_geometry,
    screen_index,
)
from llamero.models.desktop import ScreenArea, WindowGeometry
from tests.desktop.x11 import wait_for

PRIMARY = ScreenArea(0, 0, 1920, 1080)
RIGHT = ScreenArea(1920, -200, 2560, 1440)
LEFT = ScreenArea(-1280, 0, 1280, 1024)
BOTH = [PRIMARY, RIGHT]


def at(x: int | None, y: int | None, width: int = 1000, height: int = 700) -> WindowGeometry:
    return WindowGeometry(width=width, height=height, x=x, y=y)


@pytest.mark.parametrize(
    ("geometry", "screens", "place", "index"),
    [
        (at(100, 50), BOTH, (100, 50), 0),
        (at(2000, -150), BOTH, (2000, -150), 1),
        (at(1500, 100), BOTH, (1500, 100), 1),  # most of it is on the right one
        (at(-1200, 10), [PRIMARY, LEFT], (-1200, 10), 1),
        (at(2000, -150), [PRIMARY], (None, None), None),  # the second screen has been unplugged
        (at(1850, 100), [PRIMARY], (None, None), None),  # only a strip would be left
        (at(-950, 100), [PRIMARY], (None, None), None),
        (at(-800, 100), [PRIMARY], (-800, 100), 0),
        (at(100, -30), [PRIMARY], (None, None), None),  # its title bar would be above the screen
        (at(100, 1070), [PRIMARY], (None, None), None),
        (at(100, None), BOTH, (None, None), None),
        (at(100, 50), [], (None, None), None),
        (DEFAULT, BOTH, (None, None), None),
    ],
)
def test_window_keeps_its_place_only_where_it_can_be_grabbed(
    geometry: WindowGeometry, screens: list[ScreenArea], place: tuple[int | None, int | None], index: int | None
) -> None:
    fitted = fit_to_screens(geometry, screens)
    assert (fitted.x, fitted.y) == place
    assert screen_index(fitted, screens) == index


@pytest.mark.parametrize(
    ("size", "screens", "fitted"),
    [
        ((1280, 800), BOTH, (1280, 800)),
        ((100, 100), BOTH, (MINIMUM_WIDTH, MINIMUM_HEIGHT)),
        ((5000, 4000), BOTH, (1920, 1080)),
        ((1280, 800), [ScreenArea(0, 0, 1024, 600)], (1024, 600)),
        ((1280, 800), [ScreenArea(0, 0, 640, 480)], (640, 480)),
        ((1280, 800), [], (1280, 800)),
    ],
)
def test_window_is_neither_too_small_nor_larger_than_its_screen(
    size: tuple[int, int], screens: list[ScreenArea], fitted: tuple[int, int]
) -> None:
    result = fit_to_screens(at(None, None, *size), screens)
    assert (result.width, result.height) == fitted


numbers = st.integers(-40_000, 40_000)
sizes = st.integers(1, 40_000)


geometries = st.builds(at, numbers | st.none(), numbers | st.none(), sizes, sizes)
areas = st.builds(ScreenArea, numbers, numbers, st.integers(320, 8000), st.integers(240, 5000))


@given(geometries, st.lists(areas, max_size=3))
@example(at(-201, 0, 321, 1), [ScreenArea(0, 0, 320, 240)])
def test_window_with_a_place_always_shows_something_to_grab(
    geometry: WindowGeometry, screens: list[ScreenArea]
) -> None:
    fitted = fit_to_screens(geometry, screens)
    if fitted.x is None:
        return
    assert fitted.y is not None
    index = screen_index(fitted, screens)
    assert index is not None
    screen = screens[index]
    assert screen.x < fitted.x + fitted.width and fitted.x < screen.x + screen.width
    assert screen.y <= fitted.y < screen.y + screen.height


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{",
        '{"width":"a"}',
        '{"width":0}',
        '{"height":-1}',
        '{"width":99999}',
        '{"x":1e30}',
        '{"x":-99999}',
    ],
)
def test_geometry_that_makes_no_sense_is_the_default(tmp_path: Path, content: str) -> None:
    (tmp_path / "window.json").write_text(content)
    assert read_geometry(tmp_path / "window.json") == DEFAULT


def test_geometry_of_a_newer_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    (tmp_path / "window.json").write_text('{"width": 900, "height": 600, "sidebar": 200}')
    assert read_geometry(tmp_path / "window.json") == at(None, None, 900, 600)


def test_geometry_that_is_missing_huge_or_a_directory_is_the_default(tmp_path: Path) -> None:
    assert read_geometry(tmp_path / "window.json") == DEFAULT
    assert read_geometry(tmp_path) == DEFAULT
    (tmp_path / "window.json").write_bytes(b" " * 1_000_000)
    assert read_geometry(tmp_path / "window.json") == DEFAULT


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_keeper_writes_the_last_of_many_moves_once_it_has_settled(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    keeper = GeometryKeeper(path, DEFAULT)
    for x in range(200):
        keeper.changed(at(x, 10))
    assert not path.exists()
    await asyncio.to_thread(wait_for, path.exists, "window.json")
    assert read_geometry(path) == at(199, 10)
    assert path.stat().st_mode & 0o777 == 0o600
    assert names_in(tmp_path) == [path.name]


async def test_keeper_of_a_maximized_window_keeps_the_size_to_which_it_is_restored(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    keeper = GeometryKeeper(path, DEFAULT)
    keeper.changed(at(50, 60))
    keeper.changed(WindowGeometry(width=1920, height=1080, x=0, y=0, maximized=True))
    keeper.save()
    assert json.loads(path.read_bytes()) == {"width": 1000, "height": 700, "x": 50, "y": 60, "maximized": True}


async def test_keeper_ignores_what_no_window_can_be(tmp_path: Path) -> None:
    keeper = GeometryKeeper(tmp_path / "window.json", DEFAULT)
    for geometry in (at(0, 0, 0, 0), at(0, 0, -1, 10), at(99_999, 0)):
        keeper.changed(geometry)
    keeper.save()
    assert not (tmp_path / "window.json").exists()


async def test_keeper_that_cannot_write_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    keeper = GeometryKeeper(tmp_path / "missing" / "window.json", DEFAULT)
    keeper.changed(at(1, 2))
    keeper.save()
    assert "cannot be remembered" in caplog.text


async def test_keeper_with_nothing_new_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "window.json"
    GeometryKeeper(path, DEFAULT).save()
    assert not path.exists()
