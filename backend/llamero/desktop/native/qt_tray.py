"""Qt's icon in the tray: by StatusNotifierItem on D-Bus where the desktop has that, else by X's own protocol."""

from __future__ import annotations

import importlib
from typing import Any

from llamero.desktop.tray import ActByTray, TrayAction, TrayMenu


class QtTray:
    """See `Tray`. Qt adds the icon by itself when a panel comes later."""

    def __init__(self, menu: TrayMenu, act: ActByTray) -> None:
        widgets: Any = importlib.import_module("PySide6.QtWidgets")
        gui: Any = importlib.import_module("PySide6.QtGui")
        self._kind = widgets.QSystemTrayIcon
        self._act = act
        # Qt keeps neither the menu nor its actions.
        self.menu: Any = widgets.QMenu()
        self._actions = [self._add(action, menu.labels[action]) for action in TrayAction]
        self._icon: Any = self._kind(gui.QIcon(str(menu.icon)))
        self._icon.setToolTip(menu.title)
        self._icon.setContextMenu(self.menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(lambda: self._act(TrayAction.SHOW))
        self._icon.show()

    def is_there(self) -> bool:
        """Ask the platform anew."""
        return bool(self._kind.isSystemTrayAvailable() and self._icon.isVisible())

    def notify(self, title: str, body: str) -> None:
        """A balloon beside the icon, where nothing else shows notifications."""
        self._icon.showMessage(title, body, self._icon.icon())

    def close(self) -> None:
        """Before the application goes, or a panel keeps a dead icon."""
        self._icon.hide()

    def _add(self, action: TrayAction, label: str) -> Any:
        if action is TrayAction.QUIT:
            self.menu.addSeparator()
        entry = self.menu.addAction(label)
        entry.triggered.connect(lambda _checked=False: self._act(action))
        return entry

    def _activated(self, reason: Any) -> None:
        if reason == self._kind.ActivationReason.Trigger:
            self._act(TrayAction.SHOW)
