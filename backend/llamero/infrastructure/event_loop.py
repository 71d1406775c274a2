"""The event loop: libuv's where it exists, asyncio's own on Windows; and how soon other threads give way to it.

Measured on the relay of 32 streams, libuv's takes a quarter less CPU per chunk. Nothing relies on which one it is.
"""

from __future__ import annotations

import asyncio
import sys

# Python lets a thread compute for 5 ms while another one waits. So long would a token wait for a line of an engine's
# log to be looked at, and the next model for the last lines of the one before.
_TURN_S = 0.0005


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that is not running yet; pass as `loop_factory` of `asyncio.Runner`."""
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:  # no wheel for this processor: slower, but all the same
            return asyncio.new_event_loop()
        loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        return loop
    return asyncio.new_event_loop()


def have_threads_give_way() -> None:
    """From now on, a thread that computes lets another one run after half a millisecond."""
    sys.setswitchinterval(_TURN_S)
