"""Tells a person something on the desktop.

Linux: org.freedesktop.Notifications on the session's D-Bus (Desktop Notifications Specification 1.2), by jeepney.
macOS: `display notification` of AppleScript, with the words as arguments and not as script. Elsewhere the tray does it.
"""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.models.notifications import Notification

logger = logging.getLogger(__name__)

_NAME, _PATH = "org.freedesktop.Notifications", "/org/freedesktop/Notifications"
_ANSWER_S = 3.0
# So long a click still leads to the window.
_CLICK_S = 120.0
# Each that may be clicked has a connection and a thread; those beyond are shown and forgotten.
_MOST_WAITING = 4
_SCRIPT = ("on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run")


class Notifier:
    """Shows notifications. `clicked` is called on a thread of ours."""

    def __init__(self, clicked: Callable[[], None]) -> None:
        self._clicked = clicked
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    async def show(self, notification: Notification) -> bool:
        """Show one; False where this system has nobody who would. Never raises."""
        if sys.platform == "darwin":
            return await in_daemon_thread(lambda: _run(apple_command(notification)), "notify")
        if sys.platform.startswith("linux"):
            return await in_daemon_thread(lambda: self._by_dbus(notification), "notify")
        return False

    def _by_dbus(self, notification: Notification) -> bool:
        try:
            connection = _Desktop()
        except Exception as error:  # no bus, or one that jeepney cannot talk to
            logger.debug("no notifications: %s", error)
            return False
        try:
            number = connection.notify(notification)
        except Exception as error:
            logger.debug("no notifications: %s", error)
            connection.close()
            return False
        if self._waiting.acquire(blocking=False):
            threading.Thread(target=self._wait, args=(connection, number), name="notified", daemon=True).start()
        else:
            connection.close()
        return True

    def _wait(self, connection: _Desktop, number: int) -> None:
        try:
            if connection.was_clicked(number, _CLICK_S):
                self._clicked()
        except Exception as error:
            logger.debug("a notification was lost: %s", error)
        finally:
            connection.close()
            self._waiting.release()


class _Desktop:
    """A connection to the desktop's notifications. Raises what jeepney raises."""

    def __init__(self) -> None:
        import jeepney
        from jeepney.io.blocking import open_dbus_connection

        self._jeepney: Any = jeepney
        self._connection: Any = open_dbus_connection(bus="SESSION", auth_timeout=_ANSWER_S)
        self._address = jeepney.DBusAddress(_PATH, bus_name=_NAME, interface=_NAME)
        self._rule = jeepney.MatchRule(type="signal", interface=_NAME, path=_PATH)
        self._signals = self._connection.filter(self._rule, bufsize=64)
        # Asked for before the notification is there, so that no quick click is missed.
        self._ask(jeepney.message_bus.AddMatch(self._rule))

    def notify(self, notification: Notification) -> int:
        """Show it; returns its number."""
        words = ("Llamero", 0, "llamero", notification.title, notification.body)
        more = (["default", notification.action], {"desktop-entry": ("s", "llamero")}, -1)
        call = self._jeepney.new_method_call(self._address, "Notify", "susssasa{sv}i", (*words, *more))
        return int(self._ask(call)[0])

    def was_clicked(self, number: int, seconds: float) -> bool:
        """Wait for a click, or for the end of the notification."""
        deadline = time.monotonic() + seconds
        with self._signals as signals, contextlib.suppress(TimeoutError):
            while (left := deadline - time.monotonic()) > 0:
                message = self._connection.recv_until_filtered(signals, timeout=left)
                member = message.header.fields[self._jeepney.HeaderFields.member]
                if message.body[0] == number and member in ("ActionInvoked", "NotificationClosed"):
                    return bool(member == "ActionInvoked")
        return False

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _ask(self, call: Any) -> Any:
        reply = self._connection.send_and_get_reply(call, timeout=_ANSWER_S)
        return self._jeepney.wrappers.unwrap_msg(reply)


def apple_command(notification: Notification) -> Sequence[str]:
    """What shows a notification on macOS."""
    script = [word for line in _SCRIPT for word in ("-e", line)]
    return ("/usr/bin/osascript", *script, notification.title, notification.body)


def _run(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
