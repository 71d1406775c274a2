"""Which toolkit draws the window, or why none can.

On Linux Qt comes first, since it carries its own browser; the system's WebKitGTK is the other. `LLAMERO_GUI=qt|gtk`
allows only the named one. A toolkit that would end the process (no display, a missing library, no sandbox) is not
tried: the answer is a `WindowUnavailable`, and the same page can be shown by any browser.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from llamero.infrastructure.display import (
    Displays,
    browser_sandbox_works,
    find_displays,
    gtk_installed,
    missing_qt_library,
    qt_installed,
)
from llamero.models.desktop import Toolkit, WindowUnavailable

# What Qt needs for X and a small system does not have, by Debian's names.
_DEBIAN_PACKAGES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
}
CHOICE_VARIABLE = "LLAMERO_GUI"


def choose_toolkit(environment: Mapping[str, str] | None = None) -> Toolkit | WindowUnavailable:
    """Decide without starting anything. Costs some milliseconds."""
    if sys.platform == "win32":
        return Toolkit.EDGE
    if sys.platform == "darwin":
        return Toolkit.COCOA
    environment = os.environ if environment is None else environment
    displays = find_displays(environment)
    if not displays.any:
        return WindowUnavailable(code="window-no_display")
    wanted = environment.get(CHOICE_VARIABLE, "").strip().lower()
    if wanted and wanted not in (Toolkit.QT, Toolkit.GTK):
        return WindowUnavailable(code="window-unknown_toolkit", arguments={"name": wanted})
    refusals: list[WindowUnavailable] = []
    for toolkit, examine in ((Toolkit.QT, _examine_qt), (Toolkit.GTK, _examine_gtk)):
        if wanted and toolkit != wanted:
            continue
        refusal = examine(displays)
        if refusal is None:
            return toolkit
        refusals.append(refusal)
    # What is installed and does not work tells more than what is not installed.
    return next((refusal for refusal in refusals if refusal.code != "window-no_toolkit"), refusals[0])


def running_as_root() -> bool:
    """Chromium's sandbox cannot be used by root."""
    return sys.platform != "win32" and os.geteuid() == 0


def _examine_qt(displays: Displays) -> WindowUnavailable | None:
    if not qt_installed():
        return WindowUnavailable(code="window-no_toolkit")
    library = missing_qt_library(displays)
    if library is not None:
        arguments = {"library": library, "package": _DEBIAN_PACKAGES.get(library, "")}
        return WindowUnavailable(code="window-missing_library", arguments=arguments)
    if not running_as_root() and not browser_sandbox_works():
        return WindowUnavailable(code="window-no_sandbox")
    return None


def _examine_gtk(displays: Displays) -> WindowUnavailable | None:
    # GTK has no screen of its own, as Qt has.
    if not (displays.x11 or displays.wayland):
        return WindowUnavailable(code="window-no_display")
    return None if gtk_installed() else WindowUnavailable(code="window-no_toolkit")
