"""GTK's window: the system's WebKitGTK by PyGObject.

pywebview's bridge into Python is taken out: no message handler, nothing injected into pages.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Callable
from typing import Any

from llamero.desktop.native.protocol import Hooks
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.models.desktop import WindowGeometry

logger = logging.getLogger(__name__)

_RELOADS, _RELOADS_S = 3, 60.0


class IdleCalls:
    """Calls of a window on GTK's thread, soon, unless it is gone by then: GTK crashes on what has been destroyed."""

    def __init__(self, idle_add: Callable[[Callable[[], bool]], object]) -> None:
        self._idle_add = idle_add
        self._ended = False

    def add(self, function: Callable[[], object]) -> None:
        """From any thread."""

        def once() -> bool:
            if not self._ended:
                function()
            return False  # or GLib would call again and again

        self._idle_add(once)

    def end(self) -> None:
        """On GTK's thread: the window is gone."""
        self._ended = True


class GtkWindow:
    """See `NativeWindow`."""

    starts_hidden = False

    def __init__(self) -> None:
        repository: Any = importlib.import_module("gi.repository")
        self._glib: Any = repository.GLib
        self._gtk: Any = repository.Gtk
        self._gdk: Any = repository.Gdk
        self._webkit: Any = repository.WebKit2
        self._window: Any = None
        self._view: Any = None
        self._hooks: Hooks | None = None
        self._calls = IdleCalls(self._glib.idle_add)
        self._crashes: list[float] = []

    def warm_up(self) -> None:
        """GTK names the window after the program, and desktops look up its icon by that name."""
        self._glib.set_prgname("llamero")

    def prefers_dark(self) -> bool:
        """Ask the theme."""
        settings = self._gtk.Settings.get_default()
        if settings is None:
            return False
        return bool(settings.props.gtk_application_prefer_dark_theme) or settings.props.gtk_theme_name.endswith("-dark")

    def prepare(self, window: Any, hooks: Hooks) -> None:
        """Lock, unplug the bridge, colour the ground."""
        browser = importlib.import_module("webview.platforms.gtk").BrowserView.instances[window.uid]
        self._hooks, self._window, self._view = hooks, window.native, browser.webview
        view = self._view
        view.disconnect_by_func(browser.on_navigation)
        view.connect("decide-policy", self._decide)
        view.disconnect_by_func(browser.on_load_finish)
        view.connect("load-changed", self._load_changed)
        view.connect("load-failed", self._load_failed)
        browser.manager.unregister_script_message_handler("jsBridge")
        view.connect("permission-request", self._deny)
        view.connect("web-process-terminated", self._renderer_ended)
        self._restrict(view.get_settings().props)
        ground = self._gdk.RGBA()
        ground.parse(hooks.ground)
        view.set_background_color(ground)
        self._window.connect("configure-event", self._moved)
        self._window.connect("window-state-event", self._moved)
        self._window.connect("destroy", lambda _window: self._calls.end())

    def show(self, *, maximized: bool) -> None:
        """On GTK's thread, soon."""
        if maximized:
            self.run(self._window.maximize)
        self.run(self._window.show_all)

    def bring_to_front(self) -> None:
        """Also takes a minimized window back."""
        self.run(self._window.present)

    def hide(self) -> None:
        """On GTK's thread, soon."""
        self.run(self._window.hide)

    def is_seen(self) -> bool:
        """GTK knows whether the window is the one that is worked in."""
        window = self._window
        return bool(window.get_visible() and window.is_active())

    def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray | None:
        """GTK 3 has none that today's desktops show."""
        return None

    def run(self, function: Callable[[], object]) -> None:
        """As soon as GTK is idle, unless the window is gone by then."""
        self._calls.add(function)

    def _restrict(self, settings: Any) -> None:
        settings.enable_media_stream = False
        settings.enable_webaudio = False
        settings.enable_dns_prefetching = False
        settings.allow_file_access_from_file_urls = False
        settings.allow_universal_access_from_file_urls = False
        settings.javascript_can_open_windows_automatically = False
        # In memory alone, since the window is private; the page keeps its token over a reload there.
        settings.enable_html5_local_storage = True

    def _decide(self, view: Any, decision: Any, kind: Any) -> bool:
        kinds = self._webkit.PolicyDecisionType
        if kind == kinds.RESPONSE:
            if decision.is_mime_type_supported():
                return False
            decision.ignore()  # it would be a download
            return True
        action = decision.get_navigation_action()
        url = action.get_request().get_uri()
        clicked = action.is_user_gesture() and action.get_navigation_type() == self._webkit.NavigationType.LINK_CLICKED
        if self._hooks is None:
            decision.ignore()
        elif kind == kinds.NEW_WINDOW_ACTION:
            self._hooks.lock.send_out(url, by_user=action.is_user_gesture())
            decision.ignore()
        elif not self._hooks.lock.lets_through(url, by_user=clicked):
            decision.ignore()
        else:
            return False
        return True

    def _load_changed(self, view: Any, event: Any) -> None:
        if event == self._webkit.LoadEvent.COMMITTED:
            view.set_opacity(1.0)
        elif event == self._webkit.LoadEvent.FINISHED and self._hooks is not None:
            self._hooks.loaded(True)

    def _load_failed(self, view: Any, event: Any, url: str, error: Any) -> bool:
        view.set_opacity(1.0)
        if self._hooks is not None and not error.matches(self._webkit.policy_error_quark(), _POLICY_INTERRUPTED):
            logger.warning("the page did not load: %s", error.message)
            self._hooks.loaded(False)
        return False

    def _deny(self, view: Any, request: Any) -> bool:
        request.deny()
        return True

    def _moved(self, window: Any, event: Any) -> bool:
        state = window.get_window().get_state() if window.get_window() is not None else None
        hidden = self._gdk.WindowState.ICONIFIED | self._gdk.WindowState.FULLSCREEN | self._gdk.WindowState.WITHDRAWN
        if self._hooks is not None and state is not None and not state & hidden:
            (width, height), (x, y) = window.get_size(), window.get_position()
            maximized = bool(window.is_maximized())
            self._hooks.moved(WindowGeometry(width=width, height=height, x=x, y=y, maximized=maximized))
        return False

    def _renderer_ended(self, view: Any, reason: Any) -> None:
        """Load the page again: it finds its state in the core."""
        logger.warning("the window's renderer ended (%s)", reason)
        now = time.monotonic()
        self._crashes = [crash for crash in self._crashes if now - crash < _RELOADS_S] + [now]
        if self._hooks is not None and len(self._crashes) <= _RELOADS:
            view.load_uri(self._hooks.home)


# WEBKIT_POLICY_ERROR_FRAME_LOAD_INTERRUPTED_BY_POLICY_CHANGE: our own refusal.
_POLICY_INTERRUPTED = 102
