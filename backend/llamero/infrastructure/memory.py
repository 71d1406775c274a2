"""How the C library keeps memory that is free, and how often Python looks for memory that nobody needs.

glibc raises its thresholds with the largest block that was ever freed, and keeps what lies below them for itself. In a
process with a browser in it that is some 18 MB after start-up, which nobody uses again.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import sys

# malloc.h of glibc: a threshold that is set is no longer raised.
_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_TRIM_BYTES = 64 * 1024
_MMAP_BYTES = 128 * 1024
_NEW_OBJECTS = 20_000


def give_back_freed_memory() -> None:
    """Have free memory returned to the system from now on. Without effect where the C library is not glibc."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_M_TRIM_THRESHOLD, _TRIM_BYTES)
        library.mallopt(_M_MMAP_THRESHOLD, _MMAP_BYTES)


def look_for_garbage_rarely() -> None:
    """Have cycles of objects looked for after every 20,000 new ones instead of 700: imports make many, and no garbage.

    It saves a twelfth of what they take, and afterwards a look at everything in every second request.
    """
    gc.set_threshold(_NEW_OBJECTS, *gc.get_threshold()[1:])
