"""What pywebview leaves to each toolkit: the lock on navigation, showing, coming forward. One module for each."""

from __future__ import annotations

from llamero.desktop.native.protocol import Hooks, NativeWindow
from llamero.models.desktop import Toolkit

__all__ = ["Hooks", "NativeWindow", "native_window"]


def native_window(toolkit: Toolkit) -> NativeWindow:
    """Return what drives windows of this toolkit. Imports the toolkit only when it is used."""
    match toolkit:
        case Toolkit.QT:
            from llamero.desktop.native.qt import QtWindow

            return QtWindow()
        case Toolkit.GTK:
            from llamero.desktop.native.gtk import GtkWindow

            return GtkWindow()
        case Toolkit.EDGE:
            from llamero.desktop.native.edge import EdgeWindow

            return EdgeWindow()
        case Toolkit.COCOA:
            from llamero.desktop.native.cocoa import CocoaWindow

            return CocoaWindow()
