"""WKWebView's window on macOS, by PyObjC.

Written from Apple's reference (WKNavigationDelegate, WKNavigationAction.navigationType) around pywebview's own
delegate, which is a Python class: its decision on a navigation is replaced. pywebview's message channel stays, with
nothing of ours on it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llamero.desktop.native.cocoa_application import answer_for
from llamero.desktop.native.protocol import Hooks
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.models.desktop import WindowGeometry

logger = logging.getLogger(__name__)

_LINK_ACTIVATED = 0  # WKNavigationTypeLinkActivated
_CANCEL, _ALLOW = 0, 1  # WKNavigationActionPolicy


class CocoaWindow:
    """See `NativeWindow`."""

    starts_hidden = True

    def __init__(self) -> None:
        self._window: Any = None
        self._hooks: Hooks | None = None

    def warm_up(self) -> None:
        """Nothing is slow here, but the application's delegate is made with the window."""
        delegate = importlib.import_module("webview.platforms.cocoa").BrowserView.AppDelegate
        answer_for(delegate, importlib.import_module("objc"), self._opened, self._ends)

    def prefers_dark(self) -> bool:
        """Ask the user's defaults, where only the dark style leaves a trace."""
        foundation: Any = importlib.import_module("Foundation")
        style = foundation.NSUserDefaults.standardUserDefaults().stringForKey_("AppleInterfaceStyle")
        return str(style) == "Dark"

    def prepare(self, window: Any, hooks: Hooks) -> None:
        """Lock, before the first page is asked for."""
        self._hooks, self._window = hooks, window
        browser = importlib.import_module("webview.platforms.cocoa").BrowserView
        _replace_decision(browser.BrowserDelegate, hooks)
        window.events.loaded += lambda: hooks.loaded(True)
        for event in (window.events.moved, window.events.resized, window.events.maximized, window.events.restored):
            event += self._moved

    def show(self, *, maximized: bool) -> None:
        """pywebview passes this on to the main thread."""
        self._window.show()
        if maximized:
            self._window.maximize()

    def bring_to_front(self) -> None:
        """Also takes the window out of the dock."""
        self._window.restore()
        self._window.show()

    def hide(self) -> None:
        """pywebview passes this on to the main thread."""
        self._window.hide()

    def is_seen(self) -> bool:
        """The application is the one that is worked in, and its window is on the screen."""
        app: Any = importlib.import_module("AppKit").NSApplication.sharedApplication()
        return bool(app.isActive() and self._window.native.isVisible())

    def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray | None:
        """The Dock is where macOS keeps what runs."""
        return None

    def run(self, function: Callable[[], object]) -> None:
        """On the main thread."""
        importlib.import_module("PyObjCTools.AppHelper").callAfter(function)

    def _opened(self, file: Path) -> None:
        if self._hooks is not None:
            self._hooks.opened(file)

    def _ends(self) -> None:
        if self._hooks is not None:
            self._window.hide()
            self._hooks.session_ends()

    def _moved(self) -> None:
        native = self._window.native
        if self._hooks is None or native.isMiniaturized():
            return
        frame, screen = native.frame(), native.screen()
        if screen is None:
            return
        area = screen.frame()
        # Cocoa counts from the bottom, we and pywebview from the top.
        top = area.origin.y + area.size.height - frame.origin.y - frame.size.height
        geometry = WindowGeometry(
            width=int(frame.size.width),
            height=int(frame.size.height),
            x=int(frame.origin.x),
            y=int(top),
            maximized=bool(native.isZoomed()),
        )
        self._hooks.moved(geometry)


def _replace_decision(delegate: Any, hooks: Hooks) -> None:
    """Put the lock before pywebview's answer. Raises AttributeError when the delegate is no longer as we know it."""
    decide = delegate.webView_decidePolicyForNavigationAction_decisionHandler_
    add_methods: Any = importlib.import_module("objc").classAddMethods

    def webView_decidePolicyForNavigationAction_decisionHandler_(  # noqa: N802
        self: Any, view: Any, action: Any, handler: Any
    ) -> None:
        url = str(action.request().URL().absoluteString())
        target = action.targetFrame()
        clicked = action.navigationType() == _LINK_ACTIVATED and (target is None or target.isMainFrame())
        if hooks.lock.lets_through(url, by_user=bool(clicked)):
            handler(_ALLOW)
        else:
            handler(_CANCEL)

    method: Any = webView_decidePolicyForNavigationAction_decisionHandler_
    method = importlib.import_module("objc").selector(method, signature=decide.signature)
    add_methods(delegate, [method])
