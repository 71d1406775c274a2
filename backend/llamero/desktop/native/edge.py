"""WebView2's window on Windows, by pythonnet.

Written from Microsoft's reference (CoreWebView2.NavigationStarting, FrameNavigationStarting, NewWindowRequested,
PermissionRequested; CoreWebView2NavigationStartingEventArgs.IsUserInitiated; Form.FormClosing, CloseReason).
pywebview's message channel stays, with nothing of ours on it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

from llamero.desktop.native.protocol import Hooks
from llamero.desktop.native.pystray_tray import open_pystray
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.models.desktop import WindowGeometry

logger = logging.getLogger(__name__)

# Names of System.Windows.Forms.CloseReason: it is not the person who closes this window.
_ENDED_BY_SYSTEM = ("WindowsShutDown", "TaskManagerClosing")
_THEME_KEY = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize"


class EdgeWindow:
    """See `NativeWindow`."""

    starts_hidden = True

    def __init__(self) -> None:
        self._window: Any = None
        self._hooks: Hooks | None = None
        self._maximized = False
        self._geometry = WindowGeometry()

    def warm_up(self) -> None:
        """Popups are for our own handler; pywebview would open them without asking for a click."""
        importlib.import_module("webview").settings["OPEN_EXTERNAL_LINKS_IN_BROWSER"] = False

    def prefers_dark(self) -> bool:
        """Ask the registry, as applications do."""
        registry: Any = importlib.import_module("winreg")
        try:
            with registry.OpenKey(registry.HKEY_CURRENT_USER, _THEME_KEY) as key:
                return bool(registry.QueryValueEx(key, "AppsUseLightTheme")[0] == 0)
        except OSError:
            return False

    def prepare(self, window: Any, hooks: Hooks) -> None:
        """Lock as soon as the engine is there, which is before it loads anything."""
        self._hooks, self._window = hooks, window
        view = window.native.browser.webview
        view.CoreWebView2InitializationCompleted += self._engine_ready
        window.native.FormClosing += self._form_closing
        window.events.loaded += lambda: hooks.loaded(True)
        window.events.resized += self._resized
        window.events.moved += self._moved
        window.events.maximized += lambda: self._report(maximized=True)
        window.events.restored += lambda: self._report(maximized=False)

    def show(self, *, maximized: bool) -> None:
        """pywebview passes this on to the window's thread."""
        self._window.show()
        if maximized:
            self._window.maximize()

    def bring_to_front(self) -> None:
        """Windows may only let the task bar blink."""
        self._window.show()
        if not self._maximized:
            self._window.restore()

    def hide(self) -> None:
        """pywebview passes this on to the window's thread."""
        self._window.hide()

    def is_seen(self) -> bool:
        """`ActiveForm` is None while another program is worked in."""
        forms: Any = importlib.import_module("System.Windows.Forms")
        return forms.Form.ActiveForm is not None

    def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray | None:
        """In the notification area."""
        return open_pystray(menu, act)

    def run(self, function: Callable[[], object]) -> None:
        """By the form's own queue."""
        if self._window is not None:
            action: Any = importlib.import_module("System").Action
            self._window.native.BeginInvoke(action(function))

    def _engine_ready(self, sender: Any, arguments: Any) -> None:
        if not arguments.IsSuccess:
            return
        engine = sender.CoreWebView2
        engine.NavigationStarting += self._decide
        engine.FrameNavigationStarting += self._decide_frame
        engine.NewWindowRequested += self._popup
        engine.PermissionRequested += self._deny
        engine.Settings.AreHostObjectsAllowed = False
        engine.Settings.AreDefaultContextMenusEnabled = True

    def _form_closing(self, sender: Any, arguments: Any) -> None:
        """After pywebview's own: a window that stays in the tray would hold up the end of the session."""
        if str(arguments.CloseReason) in _ENDED_BY_SYSTEM and self._hooks is not None:
            arguments.Cancel = False
            self._hooks.session_ends()

    def _decide(self, sender: Any, arguments: Any) -> None:
        allowed = self._hooks is not None and self._hooks.lock.lets_through(
            str(arguments.Uri), by_user=bool(arguments.IsUserInitiated)
        )
        if not allowed:
            arguments.Cancel = True

    def _decide_frame(self, sender: Any, arguments: Any) -> None:
        if self._hooks is None or not self._hooks.lock.lets_through(str(arguments.Uri), by_user=False):
            arguments.Cancel = True

    def _popup(self, sender: Any, arguments: Any) -> None:
        arguments.Handled = True
        if self._hooks is not None:
            self._hooks.lock.send_out(str(arguments.Uri), by_user=bool(arguments.IsUserInitiated))

    def _deny(self, sender: Any, arguments: Any) -> None:
        state: Any = importlib.import_module("Microsoft.Web.WebView2.Core").CoreWebView2PermissionState
        arguments.State = state.Deny

    def _resized(self, width: float, height: float) -> None:
        self._report(width=int(width), height=int(height))

    def _moved(self, x: float, y: float) -> None:
        self._report(x=int(x), y=int(y))

    def _report(self, *, maximized: bool | None = None, **changed: int) -> None:
        if maximized is not None:
            self._maximized = maximized
        values = {name: getattr(self._geometry, name) for name in ("width", "height", "x", "y")} | changed
        self._geometry = WindowGeometry(**values, maximized=self._maximized)
        if self._hooks is not None and self._geometry.x is not None:
            self._hooks.moved(self._geometry)
