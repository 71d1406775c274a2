"""pywebview made ready: strict settings, our log, one toolkit, its screens. For the main thread."""

from __future__ import annotations

import importlib
import logging
import os
from typing import Any

from llamero.desktop.backends import running_as_root
from llamero.desktop.native.qt_names import stand_in_for_qtpy
from llamero.models.desktop import ScreenArea, Toolkit

logger = logging.getLogger(__name__)

# pywebview's names of the browsers that its toolkits bring; one of them, MSHTML, is too old for our page.
_RENDERERS = {
    "qtwebengine": Toolkit.QT,
    "gtkwebkit2": Toolkit.GTK,
    "edgechromium": Toolkit.EDGE,
    "wkwebview": Toolkit.COCOA,
}
_SETTINGS = {
    "ALLOW_DOWNLOADS": False,
    "ALLOW_FILE_URLS": False,
    "IGNORE_SSL_ERRORS": False,
    "OPEN_DEVTOOLS_IN_DEBUG": False,
    "OPEN_EXTERNAL_LINKS_IN_BROWSER": True,
}


class ToolkitFailed(Exception):
    """The toolkit was there and did not start; the text says why."""


def load_toolkit(wanted: Toolkit, debugging_port: int | None) -> Toolkit:
    """Import and initialize a toolkit; returns the one that it came to. Raises `ToolkitFailed`."""
    os.environ["QT_API"] = "pyside6"
    if wanted is Toolkit.QT:
        _set_chromium_flags()
    try:
        if wanted is Toolkit.QT:
            stand_in_for_qtpy()
        webview: Any = importlib.import_module("webview")
        _log_as_we_do()
        for name, value in _SETTINGS.items():
            webview.settings[name] = value
        if debugging_port is not None:
            logger.warning("the window can be driven by any program through port %s", debugging_port)
            webview.settings["REMOTE_DEBUGGING_PORT"] = debugging_port
        backend: Any = importlib.import_module("webview.guilib").initialize(wanted.value)
    except Exception as error:
        raise ToolkitFailed(str(error) or type(error).__name__) from error
    toolkit = _RENDERERS.get(backend.renderer)
    if toolkit is None:
        raise ToolkitFailed(f"{backend.renderer} is too old")
    return toolkit


def find_screens() -> list[Any]:
    """pywebview's screens, the primary one first where the toolkit says so. Empty when it cannot tell."""
    try:
        backend: Any = importlib.import_module("webview.guilib").guilib
        return list(backend.get_screens())
    except Exception:
        logger.warning("the screens cannot be listed", exc_info=True)
        return []


def screen_area(screen: Any) -> ScreenArea:
    """Return the part of the desktop that a screen of pywebview shows."""
    return ScreenArea(screen.x, screen.y, screen.width, screen.height)


def _set_chromium_flags() -> None:
    """Chromium refuses to run for root inside its sandbox. The flags of a user's own stay."""
    flags = os.environ.get("QTWEBENGINE_CHROMIUM_FLAGS", "").split()
    if running_as_root() and "--no-sandbox" not in flags:
        logger.warning("running as root, so the window's browser runs without its sandbox")
        flags.append("--no-sandbox")
    os.environ["QTWEBENGINE_CHROMIUM_FLAGS"] = " ".join(flags)


def _log_as_we_do() -> None:
    """pywebview writes to stderr itself; its records are for our log."""
    theirs = logging.getLogger("pywebview")
    for handler in list(theirs.handlers):
        theirs.removeHandler(handler)
