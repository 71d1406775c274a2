"""The app's own icon, as a file. `build/make_icons.py` makes it."""

from __future__ import annotations

from pathlib import Path

import llamero
from llamero.models.desktop import Toolkit

ICON = Path(llamero.__file__).parent / "assets" / "icon.png"
"""256 pixels each way, with its own ground, so it stands on light and dark."""


def window_icon(toolkit: Toolkit) -> Path | None:
    """Return what a window shows as its icon; None where the system takes the program's own."""
    return ICON if toolkit in (Toolkit.QT, Toolkit.GTK) else None
