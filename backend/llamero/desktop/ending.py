"""The last resort of a window's end: the process goes, whatever of the toolkit still holds it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading


def end_process_within(seconds: float, status: int) -> None:
    """pywebview may leave threads that never end, and they would keep the process: end it without them."""
    timer = threading.Timer(seconds, leave, args=(status,))
    timer.daemon = True
    timer.start()


def leave(status: int) -> None:
    """End the process now, with what was written and logged on its way out."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    logging.shutdown()
    os._exit(status)
