"""What the caller decides about the window."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from llamero.desktop.tray import ActByTray, TrayMenu

# Tests drive the real window by this port. Whoever may set it already has all rights of this user.
DEBUGGING_VARIABLE = "LLAMERO_TEST_DEBUGGING_PORT"


@dataclass(frozen=True)
class Grounds:
    """The page's background in both themes, as `#rrggbb`, so that there is no flash before its first paint."""

    light: str = "#fbfaf7"
    dark: str = "#14110f"


@dataclass(frozen=True)
class WindowOptions:
    """`home` is the page's address, where a socket listens already; answers may come as late as the core.

    `open_link` is the filtered opener and `open_file` takes a model file that the system asks to be opened; both are
    called on the core's loop. `theme`: system, light or dark.
    `act` does what was chosen in the tray, on the core's loop. `stays` says whether a window that a person closes stays
    in the tray; it is asked on the toolkit's thread. `start_hidden` shows nothing but the icon at the start. Without a
    tray on the screen neither counts, as there would be no way back.
    `stop_timeout_s` is how long the core may take to end, in seconds: two more than the grace that its engines get.
    """

    home: str
    geometry_file: Path
    open_link: Callable[[str], object]
    open_file: Callable[[Path], object] = lambda path: None
    title: str = "Llamero"
    theme: str = "system"
    grounds: Grounds = field(default_factory=Grounds)
    stop_timeout_s: float = 7.0
    icon: Path | None = None
    debugging_port: int | None = None
    tray: TrayMenu | None = None
    act: ActByTray = lambda action: None
    stays: Callable[[], bool] = lambda: False
    start_hidden: bool = False


def debugging_port() -> int | None:
    """The port that a test asks for; None in ordinary life."""
    value = os.environ.get(DEBUGGING_VARIABLE, "")
    return int(value) if value.isascii() and value.isdecimal() else None
