"""What the settings of the desktop do while the window runs: stay in the tray, start at login."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from llamero.desktop.icon import ICON
from llamero.desktop.tray import TrayAction, TrayMenu
from llamero.infrastructure.messages import Messages
from llamero.infrastructure.start_at_login import StartAtLogin, login_command, start_at_login
from llamero.models.settings import DesktopSettings, Settings

if TYPE_CHECKING:
    from llamero.services.settings import SettingsService

logger = logging.getLogger(__name__)


def tray_menu(messages: Messages) -> TrayMenu:
    """The icon in the tray with the words of its menu."""
    labels = {action: messages.text(f"tray-{action}") for action in TrayAction}
    return TrayMenu(title="Llamero", icon=ICON, labels=labels)


class DesktopLife:
    """Follows the settings. `now` may be asked on any thread; all else belongs to the core's loop."""

    def __init__(self, settings: DesktopSettings, entry: StartAtLogin | None) -> None:
        self.now = settings
        self._entry = entry
        self._applying: set[asyncio.Task[None]] = set()

    def stays(self) -> bool:
        """Does a window that is closed stay in the tray?"""
        return self.now.close_to_tray

    def follow(self, settings: SettingsService) -> None:
        """Do what the settings say now, and whenever they change."""
        settings.watch(self._changed)
        self._apply()

    def _changed(self, settings: Settings) -> None:
        if settings.desktop == self.now:
            return
        self.now = settings.desktop
        self._apply()

    def _apply(self) -> None:
        task = asyncio.get_running_loop().create_task(self._write(self.now.start_at_login))
        self._applying.add(task)
        task.add_done_callback(self._applying.discard)

    async def _write(self, wanted: bool) -> None:
        if self._entry is None:
            return
        try:
            await asyncio.to_thread(self._entry.apply, wanted)
        except OSError as error:
            logger.warning("starting at login cannot be changed: %s", error)


def login_entry(data_dir: Path | None) -> StartAtLogin | None:
    """The entry that starts this Llamero at login; None for a user without a home."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return start_at_login(login_command(data_dir, os.environ), sys.platform, home, os.environ)
