"""The window: pywebview shows one page of our own server, and everything else is ours.

The main thread belongs to the toolkit, the core lives on a loop in a thread of its own, and neither ever waits for the
other: what happens in the window is handed over by `call_soon_threadsafe`, what the core wants of the window goes
through the toolkit's queue. Nothing is exposed to the page and no script is put into it.

However the end comes (the window closed, Ctrl+C, SIGTERM, a toolkit that hangs), it has one order: window, core, then
the process; and each step has a limit of time.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import Any

from llamero.desktop.core_life import CoreLife, StartCore, StopCore
from llamero.desktop.dialogs import NativeFileDialogs
from llamero.desktop.ending import end_process_within, leave
from llamero.desktop.geometry import GeometryKeeper
from llamero.desktop.native import Hooks, NativeWindow, native_window
from llamero.desktop.navigation import NavigationLock, filter_webbrowser
from llamero.desktop.new_window import find_ground, find_place, make_window
from llamero.desktop.options import WindowOptions
from llamero.desktop.presence import Presence
from llamero.desktop.signals import SignalWatch
from llamero.desktop.toolkit import ToolkitFailed, load_toolkit
from llamero.desktop.tray import TrayAction
from llamero.models.desktop import Toolkit, WindowGeometry, WindowUnavailable
from llamero.models.notifications import Notification

logger = logging.getLogger(__name__)

# A page that does not come is shown as it is: an empty window says more than none.
SHOW_AT_LATEST_S = 5.0
# How long the toolkit may take to end after the window was told to close.
TOOLKIT_END_S = 2.0
# How long the rest of the process may take after the core has ended.
PROCESS_END_S = 3.0


class DesktopWindow:
    """One window. Make it and `run` it on the main thread; everything else may be called from any thread."""

    def __init__(
        self,
        toolkit: Toolkit,
        options: WindowOptions,
        make_native: Callable[[Toolkit], NativeWindow] = native_window,
    ) -> None:
        self._wanted = toolkit
        self._options = options
        self._make_native = make_native
        self._core = CoreLife(options.stop_timeout_s)
        self._native: NativeWindow | None = None
        self._webview_window: Any = None
        self._keeper: GeometryKeeper | None = None
        self._dialogs = NativeFileDialogs(self._show_file_dialog, self._show_save_dialog)
        self._closing = threading.Event()
        self._prepared = threading.Event()
        self._shown = threading.Event()
        self._presence = Presence(self._core.thread, self.bring_to_front)
        self._toolkit_ended = threading.Event()
        self._ending = threading.Event()
        self._maximized = False
        self._stop_core: StopCore | None = None
        self._failure: BaseException | None = None
        self._interruptions = 0
        self.loaded = threading.Event()
        """Set once the page has loaded."""
        self.renderer = ""
        """What draws the page, once it is known."""

    def run(self, start_core: StartCore, stop_core: StopCore) -> int | WindowUnavailable:
        """Start the core, show the page that it serves, and return when all has ended.

        The window is made while the core starts, and is closed again if the core cannot start. Both coroutines run on
        the core's loop; `stop_core` is called once, also when starting failed or was cut short.
        Returns why there could be no window, or else the exit status; the process is ended then if it does not end by
        itself within `PROCESS_END_S` seconds. Raises what `start_core` raised.
        """
        self._stop_core = stop_core
        with SignalWatch(self._on_signal) as signals:
            try:
                starting = self._core.start(start_core)
                if self._closing.is_set():  # a signal came before there was anything to cancel
                    starting.cancel()
                starting.add_done_callback(self._on_core_started)
                outcome = self._show_until_closed(starting, signals)
            except CancelledError:
                outcome = 0  # told to end while the core was starting
            finally:
                self._closing.set()
                self._toolkit_ended.set()
                self._core.end(self._stop)
        if not isinstance(outcome, WindowUnavailable):
            end_process_within(PROCESS_END_S, outcome)
        return outcome

    def close(self) -> None:
        """End everything in order; returns at once. Any thread."""
        self._closing.set()
        self._core.call_off()
        self._end_toolkit()

    def bring_to_front(self) -> None:
        """Show the window before all others. Any thread; without effect before it could be shown."""
        if self._native is None or not self._prepared.is_set() or self._closing.is_set():
            return
        self._show()
        self._native.bring_to_front()

    def tell_unseen(self, notification: Notification) -> None:
        """Tell a person who does not see the window. Any thread."""
        native = self._native
        if native is not None and self._prepared.is_set() and not self._closing.is_set():
            self._presence.tell_unseen(native, notification)

    async def choose_model_file(self) -> Path | None:
        """Ask the person for a model file by a native dialog; see `NativeFileDialogs`. Core's loop."""
        return await self._dialogs.choose_model_file()

    async def choose_place(self, name: str) -> Path | None:
        """Ask the person where a file should be saved; see `NativeFileDialogs`. Core's loop."""
        return await self._dialogs.choose_place(name)

    def _show_until_closed(self, starting: Future[None], signals: SignalWatch) -> int | WindowUnavailable:
        try:
            toolkit = load_toolkit(self._wanted, self._options.debugging_port)
            native = self._make_native(toolkit)
            native.warm_up()
        except (ToolkitFailed, ImportError, AttributeError) as error:
            logger.warning("no window by %s", self._wanted, exc_info=True)
            return WindowUnavailable(code="window-failed", arguments={"reason": str(error)})
        self._native = native
        lock = NavigationLock(self._options.home, lambda url: self._core.thread.call(self._options.open_link, url))
        unfilter = filter_webbrowser(lock)
        try:
            self._open(toolkit, native, lock, signals)
        finally:
            unfilter()
        if starting.done():
            starting.result()
        if self._failure is not None:
            return WindowUnavailable(code="window-failed", arguments={"reason": str(self._failure)})
        return 0

    def _open(self, toolkit: Toolkit, native: NativeWindow, lock: NavigationLock, signals: SignalWatch) -> None:
        """Make the window and stay in the toolkit until it has gone."""
        webview: Any = importlib.import_module("webview")
        ground = find_ground(self._options, native)
        geometry, screen = find_place(self._options)
        self._maximized = geometry.maximized
        self._keeper = GeometryKeeper(self._options.geometry_file, geometry)
        window = self._webview_window = make_window(self._options, toolkit, native, geometry, screen, ground)
        hooks = Hooks(
            home=self._options.home,
            lock=lock,
            ground=ground,
            loaded=self._on_loaded,
            moved=self._on_moved,
            opened=self._on_opened,
            session_ends=self._on_session_ends,
        )
        window.events.before_show += lambda: self._prepare(native, window, hooks, signals)
        window.events.closing += self._on_closing
        if self._closing.is_set():
            return
        icon = None if self._options.icon is None else str(self._options.icon)
        try:
            webview.start(gui=self._wanted.value, private_mode=True, icon=icon)
        except Exception as error:
            logger.exception("the toolkit failed")
            self._failure = error

    def _prepare(self, native: NativeWindow, window: Any, hooks: Hooks, signals: SignalWatch) -> None:
        """On the toolkit's thread, before the page runs. A window that cannot be locked is closed."""
        self.renderer = str(importlib.import_module("webview").renderer)
        try:
            native.prepare(window, hooks)
            with contextlib.suppress(ValueError):  # not the main thread, so the toolkit has not taken them either
                signals.install()
        except Exception as error:
            logger.exception("the window cannot be locked, so it is closed")
            self._failure = error
            self._closing.set()
        if self._closing.is_set():  # also when that came before there was a window to close
            self._ending.clear()
            self._end_toolkit()
            return
        if self._options.tray is not None:
            self._presence.open_tray(native, self._options.tray, self._act_by_tray)
        self._prepared.set()
        if self._options.start_hidden and self._presence.has_tray():
            return
        timer = threading.Timer(SHOW_AT_LATEST_S, self._show)
        timer.daemon = True
        timer.start()

    def _on_core_started(self, starting: Future[None]) -> None:
        """On any thread. Without a core there is nothing to show."""
        if not self._core.failed():
            return
        logger.error("the core did not start", exc_info=starting.exception())
        self._closing.set()
        if self._webview_window is not None:  # before that, there is no toolkit that would have to be ended
            self._end_toolkit()

    def _on_loaded(self, succeeded: bool) -> None:
        if self.loaded.is_set():  # a refused navigation ends a load, too
            return
        if not succeeded:
            logger.warning("the window's page did not load")
        self.loaded.set()
        if not (self._options.start_hidden and self._presence.has_tray()):
            self._show()

    def _show(self) -> None:
        if self._shown.is_set() or self._closing.is_set() or self._native is None:
            return
        self._shown.set()
        self._native.show(maximized=self._maximized)

    def _on_moved(self, geometry: WindowGeometry) -> None:
        if self._keeper is not None and not self._closing.is_set():
            self._core.thread.call(self._keeper.changed, geometry)

    def _on_opened(self, file: Path) -> None:
        if not self._closing.is_set():
            self._core.thread.call(self._options.open_file, file)

    def _on_closing(self) -> bool:
        """The person closes the window: it stays in the tray, or from here on nothing is asked of it any more."""
        if (
            not self._closing.is_set()
            and self._native is not None
            and self._options.stays()
            and self._presence.has_tray()
        ):
            self._native.hide()
            return False
        self._closing.set()
        self._presence.end()
        if not self._ending.is_set():
            self._ending.set()
            threading.Thread(target=self._watch_toolkit, name="llamero-closing", daemon=True).start()
        return True

    def _on_session_ends(self) -> None:
        """Everything goes, so nothing stays in the tray, and the core gets its time without waiting for the toolkit."""
        self._closing.set()
        self._presence.end()
        threading.Thread(target=self._end_beside_toolkit, name="llamero-session-end", daemon=True).start()

    def _act_by_tray(self, action: TrayAction) -> None:
        """On the toolkit's thread, or the tray's own."""
        match action:
            case TrayAction.QUIT:
                self.close()
                return
            case TrayAction.SHOW | TrayAction.NEW_CHAT:
                self.bring_to_front()
        self._core.thread.call(self._options.act, action)

    def _on_signal(self, number: int) -> None:
        logger.info("ending, since %s came", signal.Signals(number).name)
        if number == signal.SIGINT:
            self._interruptions += 1
            if self._interruptions > 2:  # somebody cannot wait; the engines end with us anyway
                os._exit(130)
        self.close()

    def _show_file_dialog(self, kinds: tuple[str, ...]) -> Any:
        webview: Any = importlib.import_module("webview")
        return self._webview_window.create_file_dialog(webview.FileDialog.OPEN, file_types=kinds)

    def _show_save_dialog(self, name: str) -> Any:
        webview: Any = importlib.import_module("webview")
        return self._webview_window.create_file_dialog(webview.FileDialog.SAVE, save_filename=name)

    def _end_toolkit(self) -> None:
        """Close the window from a thread that may wait; a call from the toolkit's own would come too early or never."""
        if not self._ending.is_set():
            self._ending.set()
            threading.Thread(target=self._close_toolkit, name="llamero-closing", daemon=True).start()

    def _close_toolkit(self) -> None:
        window = self._webview_window
        if window is not None:
            # Not `window.destroy()`: that would wait for a window that is never shown.
            importlib.import_module("webview.guilib").guilib.destroy_window(window.uid)
        self._watch_toolkit()

    def _watch_toolkit(self) -> None:
        """A toolkit that does not end (a dialog is open, a driver hangs) must not keep the core and the process."""
        if self._toolkit_ended.wait(TOOLKIT_END_S):
            return
        logger.warning("the window's toolkit does not end, so the process is ended")
        self._end_beside_toolkit()

    def _end_beside_toolkit(self) -> None:
        """End the core, and then the process with whatever the toolkit still does."""
        self._core.end(self._stop)
        leave(1 if self._core.failed() else 0)

    async def _stop(self) -> None:
        """What of the window lives on the core's loop, then the core."""
        self._dialogs.close()
        if self._keeper is not None:
            self._keeper.save()
        if self._stop_core is not None:
            await self._stop_core()
