"""Being asked to end: SIGTERM, SIGINT (Ctrl+C) and SIGHUP (the terminal is gone).

Before there is an event loop the process leaves at once, since nothing has been started; in the loop the first request
is handed on, and later ones are ignored, because ending is under way and bounded in time.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_NAMES = ("SIGTERM", "SIGINT", "SIGHUP", "SIGBREAK")


def _wanted() -> tuple[signal.Signals, ...]:
    """Those that this system has and that nobody told us to ignore, as `nohup` does."""
    known = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    return tuple(number for number in known if signal.getsignal(number) is not signal.SIG_IGN)


def leave_at_once(status: int = 0) -> None:
    """From now on leave with this status when asked to end.

    Nothing has been started that would have to be ended, and an exception could be lost: it would come up wherever the
    program happens to be, also where a library's import or an event loop's callback keeps exceptions to itself.
    """

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        os._exit(status)

    for number in _wanted():
        signal.signal(number, leave)


def leave_when_terminated() -> None:
    """Leave in order, with the status that shells expect, on whatever ends the process by default; not on Ctrl+C."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in _wanted():
        if number is not signal.SIGINT:
            signal.signal(number, leave)


@contextmanager
def asked_to_end(callback: Callable[[], object]) -> Iterator[None]:
    """Call `callback` once in the running event loop when asked to end. Afterwards such requests are ignored."""
    import asyncio

    loop = asyncio.get_running_loop()
    numbers, asked = _wanted(), False

    def once() -> None:
        nonlocal asked
        if not asked:
            asked = True
            callback()

    for number in numbers:
        if sys.platform == "win32":  # where event loops take no signal handlers
            signal.signal(number, lambda _number, _frame: loop.call_soon_threadsafe(once))
        else:
            loop.add_signal_handler(number, once)
    try:
        yield
    finally:
        for number in numbers:
            if sys.platform != "win32":
                loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_IGN)
