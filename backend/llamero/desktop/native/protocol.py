"""What a toolkit does for us beyond pywebview, and what it tells us.

Toolkits are optional and untyped, so their objects are `Any`, and they are imported by name when a window is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from llamero.desktop.navigation import NavigationLock
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.models.desktop import WindowGeometry


@dataclass(frozen=True)
class Hooks:
    """Whom to ask and tell. All are called on the toolkit's thread and return at once.

    `opened` is told of a model file that the system asks a running application to open. `session_ends` is told that
    the system ends every application, or this one by its menu; nothing may hold that up, a tray neither.
    """

    home: str
    lock: NavigationLock
    ground: str
    loaded: Callable[[bool], None]
    moved: Callable[[WindowGeometry], None]
    opened: Callable[[Path], None]
    session_ends: Callable[[], None]


class NativeWindow(Protocol):
    """One toolkit, with its one window."""

    starts_hidden: bool
    """Is the window shown by `show`, or by pywebview at once?"""

    def warm_up(self) -> None:
        """Start what is slow, while the core still starts. Main thread, before there is a window."""

    def prefers_dark(self) -> bool:
        """Does the system show things dark? Main thread, after `warm_up`."""

    def prepare(self, window: Any, hooks: Hooks) -> None:
        """Lock the window, before its page runs. Toolkit's thread. Whatever it raises, there must be no window."""

    def show(self, *, maximized: bool) -> None:
        """Show the window for the first time. Any thread."""

    def bring_to_front(self) -> None:
        """Show the window before all others, also when it was minimized or hidden. Any thread."""

    def hide(self) -> None:
        """Take the window off the screen; its page lives on. Any thread."""

    def is_seen(self) -> bool:
        """Is the window on the screen, and the one that is worked in? Toolkit's thread."""

    def run(self, function: Callable[[], object]) -> None:
        """Call a function on the toolkit's thread, soon; without effect before `prepare`. Any thread."""

    def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray | None:
        """Put an icon into the tray; None where this toolkit has none. Toolkit's thread."""
