"""The tests' own eyes: what they look through must not take them along when it fails."""

from __future__ import annotations

import ctypes
import gc

from tests.desktop.x11 import Display, virtual_display

GONE = 12_345


def test_window_that_has_gone_has_no_title_also_after_another_display_was_closed(display: Display) -> None:
    with virtual_display() as other:
        assert other.windows("Llamero") == []
    del other
    gc.collect()
    # Whatever of the other display Xlib might still call is something else from here on.
    passing = [ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)(lambda value: 0) for _ in range(100)]
    del passing
    assert display.title(GONE) == ""
