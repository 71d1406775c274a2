"""Qt's window: QtWebEngine by PySide6.

pywebview's bridge into Python is taken out: no web channel, nothing injected into pages. What it would let a page do
without asking (microphone, camera, popups) is refused.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import logging
import time
from collections.abc import Callable
from typing import Any

from llamero.desktop.native.protocol import Hooks
from llamero.desktop.native.qt_tray import QtTray
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.models.desktop import WindowGeometry

logger = logging.getLogger(__name__)

# A page whose renderer dies more often than this within the time is not loaded again.
_RELOADS, _RELOADS_S = 3, 60.0
_WEB_ENGINE = "libQt6WebEngineCore.so.6"
# QWebEngineProfile::defaultProfile()
_DEFAULT_PROFILE = "_ZN17QWebEngineProfile14defaultProfileEv"


class QtWindow:
    """See `NativeWindow`."""

    starts_hidden = True

    def __init__(self) -> None:
        self._core: Any = importlib.import_module("PySide6.QtCore")
        self._gui: Any = importlib.import_module("PySide6.QtGui")
        self._engine: Any = importlib.import_module("PySide6.QtWebEngineCore")
        self._window: Any = None
        self._page: Any = None
        self._caller: Any = None
        self._hooks: Hooks | None = None
        self._crashes: list[float] = []

    def warm_up(self) -> None:
        """Start the browser engine. Its flags are read now, so those that pywebview adds later have no effect: they
        would give any page the microphone."""
        self._gui.QGuiApplication.setDesktopFileName("llamero")
        # It would be beside our own cache, and nobody would take it away with Llamero.
        self._core.QCoreApplication.setAttribute(self._core.Qt.ApplicationAttribute.AA_DisableShaderDiskCache)
        _start_browser_unlocked()
        self._engine.QWebEngineProfile.defaultProfile()

    def prefers_dark(self) -> bool:
        """Ask the platform's theme."""
        scheme = self._gui.QGuiApplication.styleHints().colorScheme()
        return bool(scheme == self._core.Qt.ColorScheme.Dark)

    def prepare(self, window: Any, hooks: Hooks) -> None:
        """Lock, unplug the bridge, colour the ground."""
        self._hooks, self._window = hooks, window.native
        self._page = page = self._window.webview.page()
        page.navigationRequested.connect(self._decide)
        page.loadFinished.disconnect(self._window.on_load_finished)
        page.setWebChannel(None)
        page.featurePermissionRequested.disconnect(page.onFeaturePermissionRequested)
        page.permissionRequested.connect(lambda permission: permission.deny())
        self._restrict(page.settings())
        page.setBackgroundColor(self._gui.QColor(hooks.ground))
        page.loadFinished.connect(hooks.loaded)
        page.renderProcessTerminated.connect(self._renderer_ended)
        self._caller = _caller_class(self._core)()
        for event in (window.events.moved, window.events.resized, window.events.maximized, window.events.restored):
            event += self._moved

    def show(self, *, maximized: bool) -> None:
        """On Qt's thread, soon."""
        self.run(self._window.showMaximized if maximized else self._window.show)

    def bring_to_front(self) -> None:
        """Keeps a maximized window maximized."""

        def forward() -> None:
            state = self._window.windowState() & ~self._core.Qt.WindowState.WindowMinimized
            self._window.setWindowState(state | self._core.Qt.WindowState.WindowActive)
            self._window.show()
            self._window.raise_()
            self._window.activateWindow()

        self.run(forward)

    def hide(self) -> None:
        """On Qt's thread, soon."""
        self.run(self._window.hide)

    def is_seen(self) -> bool:
        """What other windows cover is not seen; whose keys are listened to is."""
        window = self._window
        return bool(window.isVisible() and not window.isMinimized() and window.isActiveWindow())

    def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray | None:
        """Also where there is no tray yet: a panel may start after us."""
        return QtTray(menu, act)

    def run(self, function: Callable[[], object]) -> None:
        """By a queued signal."""
        if self._caller is not None:
            self._caller.asked.emit(function)

    def _restrict(self, settings: Any) -> None:
        attribute = self._engine.QWebEngineSettings.WebAttribute
        for name in (
            "JavascriptCanOpenWindows",  # without a click
            "NavigateOnDropEnabled",
            "PluginsEnabled",
            "PdfViewerEnabled",
            "LocalContentCanAccessRemoteUrls",
            "LocalContentCanAccessFileUrls",
            "HyperlinkAuditingEnabled",
            "ScreenCaptureEnabled",
            "DnsPrefetchEnabled",
        ):
            settings.setAttribute(getattr(attribute, name), False)
        settings.setUnknownUrlSchemePolicy(
            self._engine.QWebEngineSettings.UnknownUrlSchemePolicy.DisallowUnknownUrlSchemes
        )
        # Copying from a button that was clicked; reading stays forbidden.
        settings.setAttribute(attribute.JavascriptCanAccessClipboard, True)

    def _decide(self, request: Any) -> None:
        if self._hooks is None:
            request.reject()
            return
        # Qt cannot tell a click from a script that sets `location`. Links that leave have `target=_blank`: popups need
        # a click here, and come by pywebview's `webbrowser.open`.
        if not self._hooks.lock.lets_through(request.url().toString(), by_user=False):
            request.reject()

    def _moved(self) -> None:
        window = self._window
        if self._hooks is None or window.isMinimized() or window.isFullScreen() or not window.isVisible():
            return
        geometry = WindowGeometry(
            width=window.width(),
            height=window.height(),
            x=window.x(),
            y=window.y(),
            maximized=window.isMaximized(),
        )
        self._hooks.moved(geometry)

    def _renderer_ended(self, status: Any, exit_code: int) -> None:
        """Load the page again: it finds its state in the core."""
        logger.warning("the window's renderer ended (%s, %s)", status, exit_code)
        now = time.monotonic()
        self._crashes = [crash for crash in self._crashes if now - crash < _RELOADS_S] + [now]
        if self._hooks is not None and len(self._crashes) <= _RELOADS:
            self._core.QTimer.singleShot(0, self._window, self._load_home)

    def _load_home(self) -> None:
        if self._hooks is not None:
            self._page.setUrl(self._core.QUrl(self._hooks.home))


def _start_browser_unlocked() -> None:
    """Start the browser engine without the interpreter's lock, so that the core goes on starting meanwhile.

    PySide would keep the lock for the 0.1 s that it takes; a function that is called by its C++ name gives it back.
    Where the name is another one, nothing happens, and PySide's own call does it.
    """
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(_WEB_ENGINE)[_DEFAULT_PROFILE]()


def _caller_class(core: Any) -> Any:
    """A QObject of the toolkit's thread that calls there what any thread asks it to."""

    class Caller(core.QObject):  # type: ignore[misc]
        asked = core.Signal(object)

        def __init__(self) -> None:
            super().__init__()
            self.asked.connect(self.call, core.Qt.ConnectionType.QueuedConnection)

        def call(self, function: Callable[[], object]) -> None:
            function()

    return Caller
