"""What the icon in the tray offers. A toolkit draws it where the desktop has a tray at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class TrayAction(StrEnum):
    """What a person can choose, in the order of the menu. A click on the icon itself shows the window."""

    SHOW = "show"
    NEW_CHAT = "new_chat"
    STOP_SERVERS = "stop_servers"
    QUIT = "quit"


@dataclass(frozen=True)
class TrayMenu:
    """The icon and the words of its menu."""

    title: str
    icon: Path
    labels: Mapping[TrayAction, str]


ActByTray = Callable[[TrayAction], None]


class Tray(Protocol):
    """One icon in the tray, from when it was made. Toolkit's thread, unless said otherwise."""

    def is_there(self) -> bool:
        """Does the desktop show it now? A panel may come later than we, and may go."""

    def notify(self, title: str, body: str) -> None:
        """Say something beside the icon."""

    def close(self) -> None:
        """Take it away."""
