"""What a Linux desktop must offer before a toolkit is started, since Qt and Chromium end the process without it.

Everything here asks without side effects for the process, and answers within milliseconds.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

# Platforms of Qt that need no display.
_OFFSCREEN = frozenset({"offscreen", "minimal", "minimalegl", "vnc", "linuxfb", "eglfs"})
_PROC_SYS = Path("/proc/sys")
# CLONE_NEWUSER, CLONE_NEWPID and CLONE_NEWNET of <sched.h>.
_OWN_NAMESPACES = 0x10000000 | 0x20000000 | 0x40000000


class Displays(msgspec.Struct, frozen=True):
    """Which kinds of display answer. `offscreen`: the user wants none."""

    x11: bool = False
    wayland: bool = False
    offscreen: bool = False

    @property
    def any(self) -> bool:
        """Can a window be opened at all?"""
        return self.x11 or self.wayland or self.offscreen


def find_displays(environment: Mapping[str, str]) -> Displays:
    """Ask the displays that the environment names whether they let us in."""
    return Displays(
        x11=_x11_answers(environment.get("DISPLAY", "")),
        wayland=_wayland_answers(environment),
        offscreen=environment.get("QT_QPA_PLATFORM", "").partition(":")[0] in _OFFSCREEN,
    )


def _x11_answers(display: str) -> bool:
    """Connect as a toolkit would, so that a refused authorization counts, too."""
    if not display:
        return False
    try:
        xcb = ctypes.CDLL("libxcb.so.1")
    except OSError:
        return False  # no toolkit can do without it
    xcb.xcb_connect.restype = ctypes.c_void_p
    xcb.xcb_connect.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
    xcb.xcb_connection_has_error.argtypes = [ctypes.c_void_p]
    xcb.xcb_disconnect.argtypes = [ctypes.c_void_p]
    connection = xcb.xcb_connect(os.fsencode(display), None)
    try:
        return int(xcb.xcb_connection_has_error(connection)) == 0
    finally:
        xcb.xcb_disconnect(connection)


def _wayland_answers(environment: Mapping[str, str]) -> bool:
    if sys.platform == "win32":  # where Python knows no sockets of that kind
        return False
    name = environment.get("WAYLAND_DISPLAY", "")
    folder = environment.get("XDG_RUNTIME_DIR", "")
    if not name or not (folder or name.startswith("/")):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(Path(folder) / name))
        except (OSError, ValueError):
            return False
    return True


def qt_installed() -> bool:
    """Are PySide6 with its browser, and QtPy, there? Imports next to nothing."""
    try:
        return all(importlib.util.find_spec(name) for name in ("PySide6.QtWebEngineWidgets", "qtpy"))
    except ImportError:
        return False


def gtk_installed() -> bool:
    """Are PyGObject and WebKitGTK's description for it there?"""
    if not importlib.util.find_spec("gi"):
        return False
    try:
        gi: Any = importlib.import_module("gi")
        gi.require_version("Gtk", "3.0")
    except (ImportError, ValueError):
        return False
    for version in ("4.1", "4.0"):
        try:
            gi.require_version("WebKit2", version)
        except ValueError:
            continue
        return True
    return False


def missing_qt_library(displays: Displays) -> str | None:
    """Name the system library that keeps Qt from talking to the display; None when nothing is missing.

    Without this Qt would end the process. Only the plugins of the wheel are looked at; a distribution's PySide6 comes
    with what it needs.
    """
    specification = importlib.util.find_spec("PySide6")
    if displays.offscreen or specification is None or not specification.submodule_search_locations:
        return None
    folder = Path(specification.submodule_search_locations[0]) / "Qt" / "plugins" / "platforms"
    patterns = (["libqwayland*.so"] if displays.wayland else []) + (["libqxcb.so"] if displays.x11 else [])
    reason = None
    for plugin in (path for pattern in patterns for path in sorted(folder.glob(pattern))):
        try:
            ctypes.CDLL(str(plugin))
        except OSError as error:
            # "libxcb-cursor.so.0: cannot open shared object file: …"
            reason = str(error).partition(":")[0]
        else:
            return None
    return reason


def browser_sandbox_works(proc_sys: Path = _PROC_SYS) -> bool:
    """May a program without privileges isolate its children, as Chromium does? It ends itself where it may not.

    Some systems (Ubuntu since 23.10) forbid that to programs which they do not know. Tried in a child process, and only
    where the system's settings make it doubtful.
    """
    restricted = _setting(proc_sys / "kernel/apparmor_restrict_unprivileged_userns") == "1"
    forbidden = _setting(proc_sys / "kernel/unprivileged_userns_clone") == "0"
    none_left = _setting(proc_sys / "user/max_user_namespaces") == "0"
    if sys.platform == "win32" or not (restricted or forbidden or none_left):
        return True
    unshare = ctypes.CDLL(None).unshare
    child = os.fork()
    if child == 0:
        os._exit(0 if unshare(_OWN_NAMESPACES) == 0 else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _setting(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError):
        return ""
