"""What a person has of Llamero while no window is to be seen: the icon in the tray, and what the desktop tells.

Invariants: after `end` nothing is shown any more; what the tray shows is asked for on the toolkit's thread; a desktop
without a tray or without notifications is a normal one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future

from llamero.desktop.core_thread import CoreThread
from llamero.desktop.native import NativeWindow
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.infrastructure.notifications import Notifier
from llamero.models.notifications import Notification


class Presence:
    """One window's. `clicked` is called, on any thread, when a notification was clicked."""

    def __init__(self, core: CoreThread, clicked: Callable[[], None]) -> None:
        self._core = core
        self._notifier = Notifier(clicked)
        self._tray: Tray | None = None
        self._ended = threading.Event()

    def open_tray(self, native: NativeWindow, menu: TrayMenu, act: ActByTray) -> None:
        """Show the icon, where the desktop has a place for it. Toolkit's thread."""
        self._tray = native.open_tray(menu, act)

    def has_tray(self) -> bool:
        """Is the icon on the screen now, so that a window that is hidden can be had back?"""
        return self._tray is not None and self._tray.is_there()

    def tell_unseen(self, native: NativeWindow, notification: Notification) -> None:
        """Tell a person who does not see the window. Any thread, once the window is prepared."""
        if not self._ended.is_set():
            native.run(lambda: self._tell_unless_seen(native, notification))

    def end(self) -> None:
        """Show nothing from now on. Toolkit's thread."""
        self._ended.set()
        if self._tray is not None:
            self._tray.close()

    def _tell_unless_seen(self, native: NativeWindow, notification: Notification) -> None:
        if self._ended.is_set() or native.is_seen():
            return
        with contextlib.suppress(RuntimeError):  # the core has ended
            shown = self._core.run(self._notifier.show(notification))
            shown.add_done_callback(lambda done: self._tell_by_tray(native, notification, done))

    def _tell_by_tray(self, native: NativeWindow, notification: Notification, done: Future[bool]) -> None:
        """Where the desktop has nobody else who would."""
        tray = self._tray
        if tray is not None and not done.cancelled() and not done.result() and not self._ended.is_set():
            native.run(lambda: tray.notify(notification.title, notification.body))
