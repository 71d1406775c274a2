"""Ctrl+C and SIGTERM while the main thread is inside a toolkit's event loop.

Python runs signal handlers only when the main thread runs Python, which a toolkit does rarely. But the interpreter
writes the signal's number to a socket at once, and a thread waits at the other end of it.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
SIGNALS = tuple(getattr(signal, name) for name in _NAMES if hasattr(signal, name))


class SignalWatch:
    """`with SignalWatch(on_signal):` on the main thread; `on_signal(number)` comes on a thread of the watch."""

    def __init__(self, on_signal: Callable[[int], None]) -> None:
        self._on_signal = on_signal
        self._inbox, self._wakeup = socket.socketpair()
        self._wakeup.setblocking(False)
        self._thread = threading.Thread(target=self._listen, name="llamero-signals", daemon=True)
        self._before: dict[int, Any] = {}
        self._wakeup_before = -1

    def __enter__(self) -> SignalWatch:
        self._wakeup_before = signal.set_wakeup_fd(-1)
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.install()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        signal.set_wakeup_fd(self._wakeup_before, warn_on_full_buffer=False)
        for number, handler in self._before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        self._wakeup.close()
        self._thread.join(1)
        self._inbox.close()

    def install(self) -> None:
        """Take the signals, again where a toolkit has taken them from us. Ignored ones (nohup) stay ignored."""
        signal.set_wakeup_fd(self._wakeup.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            if self._before[number] is not signal.SIG_IGN:
                signal.signal(number, _noted)

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while numbers := self._inbox.recv(16):
                for number in numbers:
                    if number in SIGNALS:
                        self._on_signal(number)


def _noted(number: int, frame: FrameType | None) -> None:
    """The thread has been told."""
