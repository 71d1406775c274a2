"""The tray's menu without a desktop: what each entry does, and that a missing library is no accident."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from llamero.commands.desktop_life import tray_menu
from llamero.desktop.icon import ICON
from llamero.desktop.native.pystray_tray import PystrayTray, open_pystray
from llamero.desktop.tray import TrayAction
from llamero.infrastructure.messages import default_messages

QT_MENU = """
import json
from PySide6.QtWidgets import QApplication
app = QApplication([])
from llamero.commands.desktop_life import tray_menu
from llamero.desktop.native.qt_tray import QtTray
from llamero.infrastructure.messages import default_messages
done = []
tray = QtTray(tray_menu(default_messages()), lambda action: done.append(str(action)))
there = tray.is_there()
for entry in tray.menu.actions():
    entry.trigger()
tray.close()
print(json.dumps([there, [entry.text() for entry in tray.menu.actions()], done]))
"""


def test_menu_of_qt_does_what_each_entry_says_and_no_tray_is_no_accident() -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", QT_MENU], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    there, texts, acts = json.loads(done.stdout)
    assert not there
    assert texts == ["Show Llamero", "New chat", "Stop all servers", "", "Quit"]
    assert acts == [str(action) for action in TrayAction]


class Library:
    """What of pystray is used, without a desktop."""

    class Menu(tuple[Any, ...]):
        SEPARATOR = "---"

        def __new__(cls, *entries: Any) -> Library.Menu:
            return super().__new__(cls, entries)

    def __init__(self) -> None:
        self.icons: list[Any] = []

    def MenuItem(self, text: str, action: Any, default: bool) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(text=text, action=action, default=default)

    def Icon(self, name: str, image: object, title: str, menu: Any) -> SimpleNamespace:  # noqa: N802
        ended: list[str] = []
        icon = SimpleNamespace(menu=menu, image=image, ended=ended, run_detached=lambda: None)
        icon.stop = lambda: ended.append("stopped")
        self.icons.append(icon)
        return icon


def test_menu_of_pystray_does_what_each_entry_says() -> None:
    library, done = Library(), list[TrayAction]()
    opened: list[Path] = []
    tray = PystrayTray(tray_menu(default_messages()), done.append, library, opened.append)
    assert (tray.is_there(), opened) == (True, [ICON])
    entries = [entry for entry in library.icons[0].menu if entry != "---"]
    for entry in entries:
        entry.action(None, entry)
    assert done == list(TrayAction)
    assert [entry.text for entry in entries if entry.default] == ["Show Llamero"]
    tray.close()
    assert (tray.is_there(), library.icons[0].ended) == (False, ["stopped"])


def test_tray_without_pystray_is_none() -> None:
    if sys.platform != "win32":
        assert open_pystray(tray_menu(default_messages()), lambda action: None) is None
