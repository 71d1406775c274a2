"""Size and place of the window, remembered in `window.json`.

What is read back is not trusted: the file may be old, damaged or of another screen. A window is never smaller than
`MINIMUM`, never larger than its screen, and keeps its place only where enough of its title bar can be grabbed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from llamero.infrastructure.private_file import read_private_file, write_private_file
from llamero.models.desktop import ScreenArea, WindowGeometry

logger = logging.getLogger(__name__)

FILE_NAME = "window.json"
DEFAULT = WindowGeometry()
MINIMUM_WIDTH, MINIMUM_HEIGHT = 800, 560
DEBOUNCE_S = 0.5
# How much of the window's upper edge must be on a screen.
_GRAB_WIDTH, _GRAB_HEIGHT = 120, 24
_LARGEST = 32_767


def read_geometry(path: Path) -> WindowGeometry:
    """Return what was remembered, or the default size where that makes no sense."""
    content = read_private_file(path)
    if content is None:
        return DEFAULT
    try:
        geometry = msgspec.json.decode(content, type=WindowGeometry)
    except msgspec.MsgspecError as error:
        logger.warning("%s cannot be used, so the window opens at its default size: %s", path, error)
        return DEFAULT
    return geometry if _plausible(geometry) else DEFAULT


def fit_to_screens(geometry: WindowGeometry, screens: Sequence[ScreenArea]) -> WindowGeometry:
    """Return a geometry that a person can see and grab. `screens` begins with the primary one."""
    home = _screen_of(geometry, screens)
    screen = home or (screens[0] if screens else None)
    width, height = max(geometry.width, MINIMUM_WIDTH), max(geometry.height, MINIMUM_HEIGHT)
    if screen is not None:
        width, height = min(width, screen.width), min(height, screen.height)
    fitted = replace(geometry, width=width, height=height)
    # One that has become narrower may no longer reach where it could be grabbed.
    return fitted if _screen_of(fitted, screens) is not None else replace(fitted, x=None, y=None)


def screen_index(geometry: WindowGeometry, screens: Sequence[ScreenArea]) -> int | None:
    """Which of the screens the window stands on; None when it has no place on any."""
    screen = _screen_of(geometry, screens)
    return None if screen is None else screens.index(screen)


def _screen_of(geometry: WindowGeometry, screens: Sequence[ScreenArea]) -> ScreenArea | None:
    """The screen on which most of the window's title bar can be grabbed."""
    if geometry.x is None or geometry.y is None:
        return None
    left, top, width = geometry.x, geometry.y, geometry.width
    best, most = None, _GRAB_WIDTH - 1
    for screen in screens:
        visible = min(left + width, screen.x + screen.width) - max(left, screen.x)
        grabbable = screen.y <= top <= screen.y + screen.height - _GRAB_HEIGHT
        if grabbable and visible > most:
            best, most = screen, visible
    return best


def _plausible(geometry: WindowGeometry) -> bool:
    sizes = (geometry.width, geometry.height)
    places = (geometry.x or 0, geometry.y or 0)
    return all(0 < size <= _LARGEST for size in sizes) and all(abs(place) <= _LARGEST for place in places)


class GeometryKeeper:
    """Writes what the window reports, a moment after it has settled. Lives on the core's loop."""

    def __init__(self, path: Path, geometry: WindowGeometry) -> None:
        self._path = path
        self._saved = self._current = geometry
        self._timer: asyncio.TimerHandle | None = None

    def changed(self, reported: WindowGeometry) -> None:
        """Take note. A maximized window keeps the size and place to which it will be restored."""
        if reported.maximized:
            reported = replace(self._current, maximized=True)
        if not _plausible(reported):
            return
        self._current = reported
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(DEBOUNCE_S, self.save)

    def save(self) -> None:
        """Write now what is not written yet. A file that cannot be written costs the memory, nothing else."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._current == self._saved:
            return
        try:
            write_private_file(self._path, msgspec.json.encode(self._current))
        except OSError as error:
            logger.warning("the window's place cannot be remembered: %s", error)
        self._saved = self._current
