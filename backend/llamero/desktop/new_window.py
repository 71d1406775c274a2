"""A window of pywebview's, made as we want it: in its remembered place, in its ground's color, with quiet events."""

from __future__ import annotations

import importlib
from typing import Any

from llamero.desktop.geometry import MINIMUM_HEIGHT, MINIMUM_WIDTH, fit_to_screens, read_geometry, screen_index
from llamero.desktop.native import NativeWindow
from llamero.desktop.options import WindowOptions
from llamero.desktop.toolkit import find_screens, screen_area
from llamero.models.desktop import Toolkit, WindowGeometry

_FREQUENT = ("moved", "resized", "maximized", "restored", "minimized")


def find_place(options: WindowOptions) -> tuple[WindowGeometry, Any]:
    """Where the window will stand, and on which screen of pywebview's; None where it may stand anywhere."""
    screens = find_screens()
    areas = [screen_area(screen) for screen in screens]
    geometry = fit_to_screens(read_geometry(options.geometry_file), areas)
    index = screen_index(geometry, areas)
    return geometry, None if index is None else screens[index]


def find_ground(options: WindowOptions, native: NativeWindow) -> str:
    """The page's background in the theme that it will have, as `#rrggbb`."""
    dark = options.theme == "dark" if options.theme in ("light", "dark") else native.prefers_dark()
    return options.grounds.dark if dark else options.grounds.light


def make_window(
    options: WindowOptions, toolkit: Toolkit, native: NativeWindow, geometry: WindowGeometry, screen: Any, ground: str
) -> Any:
    """Make the window; it comes to life in `webview.start`. The toolkit's thread."""
    webview: Any = importlib.import_module("webview")
    window = webview.create_window(
        options.title,
        options.home,
        width=geometry.width,
        height=geometry.height,
        x=_below(geometry.x, screen, "x", toolkit),
        y=_below(geometry.y, screen, "y", toolkit),
        screen=screen,
        min_size=(MINIMUM_WIDTH, MINIMUM_HEIGHT),
        hidden=native.starts_hidden,
        background_color=ground,
        text_select=True,
    )
    for name in _FREQUENT:
        # As pywebview makes them, each would start a thread for every pixel that the window moves.
        setattr(window.events, name, webview.Event(window, True))
    return window


def _below(value: int | None, screen: Any, axis: str, toolkit: Toolkit) -> int | None:
    """pywebview counts from the screen that it is given, except on Windows."""
    if value is None or screen is None or toolkit is Toolkit.EDGE:
        return value
    return value - int(getattr(screen, axis))
