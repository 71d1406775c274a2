"""The icon in the tray beside WebView2, by pystray, which lives on a thread of its own there."""

from __future__ import annotations

import importlib
import logging
from typing import Any

from llamero.desktop.tray import ActByTray, TrayAction, TrayMenu

logger = logging.getLogger(__name__)


class PystrayTray:
    """See `Tray`. `library` is the module `pystray`, `image` makes its picture of a file."""

    def __init__(self, menu: TrayMenu, act: ActByTray, library: Any, image: Any) -> None:
        def entry(action: TrayAction) -> Any:
            return library.MenuItem(
                menu.labels[action], lambda _icon, _item: act(action), default=action is TrayAction.SHOW
            )

        entries = [entry(action) for action in TrayAction if action is not TrayAction.QUIT]
        entries += [library.Menu.SEPARATOR, entry(TrayAction.QUIT)]
        self._icon: Any = library.Icon("llamero", image(menu.icon), menu.title, library.Menu(*entries))
        self._icon.run_detached()
        self._closed = False

    def is_there(self) -> bool:
        """Windows always has a notification area."""
        return not self._closed

    def notify(self, title: str, body: str) -> None:
        """A balloon of Windows."""
        self._icon.notify(body, title)

    def close(self) -> None:
        """End its thread."""
        self._closed = True
        self._icon.stop()


def open_pystray(menu: TrayMenu, act: ActByTray) -> PystrayTray | None:
    """Show the icon; None where pystray is missing or does not start: the window does without."""
    try:
        library, image = importlib.import_module("pystray"), importlib.import_module("PIL.Image")
        return PystrayTray(menu, act, library, image.open)
    except Exception:  # whatever a platform comes up with
        logger.warning("there is no icon in the tray", exc_info=True)
        return None
