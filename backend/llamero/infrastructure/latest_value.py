"""Asks something that may be slow, or never return, without making the asker wait long.

A driver that hangs takes the calling thread with it and nothing can free that thread. So each question is asked in a
daemon thread of its own, never twice at once; the asker waits a little and otherwise gets the last answer. Between
questions there is no thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.gpu import GpuFailed, GpuPending, GpuReaderMissing

T = TypeVar("T")

logger = logging.getLogger(__name__)


class LatestValue(Generic[T]):
    """The last answer to one question, asked again no sooner than every `period_s` seconds.

    `patience_s`: how long an asker waits for a new answer before taking the last one. `silence_s`: after so long
    without any answer the last one is too old to show, and asking raises `GpuFailed` instead. `absent_s`: who is not
    on this machine is looked for no sooner than after so long, since a thread costs as much as all other readings.
    """

    def __init__(
        self,
        ask: Callable[[], T],
        *,
        name: str,
        clock: Clock,
        patience_s: float = 1.0,
        period_s: float = 0.0,
        silence_s: float = 10.0,
        absent_s: float = 30.0,
    ) -> None:
        self._ask = ask
        self._name = name
        self._clock = clock
        self._patience_s = patience_s
        self._period_s = period_s
        self._silence_s = silence_s
        self._absent_s = absent_s
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._asked_at: float | None = None
        self._answer: tuple[T] | GpuFailed | None = None

    def get(self) -> T:
        """The newest answer to be had within the patience. Raises `GpuFailed`: the answer was one, or none came.

        Before the first answer that is `GpuPending`.
        """
        with self._lock:
            thread = self._thread
            if thread is None and self._due():
                thread = self._start()
        if thread is not None:
            thread.join(self._patience_s)
        with self._lock:
            return self._result()

    def close(self, timeout_s: float = 0.5) -> bool:
        """Forget the answer and wait for a question under way; False if it hangs and was left to itself."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join(timeout_s)
        with self._lock:
            self._answer = None
            if self._thread is None:
                self._asked_at = None
            return self._thread is None

    def _due(self) -> bool:
        period_s = self._absent_s if isinstance(self._answer, GpuReaderMissing) else self._period_s
        return self._asked_at is None or self._clock.monotonic() - self._asked_at >= period_s

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name=f"ask-{self._name}", daemon=True)
        self._asked_at = self._clock.monotonic()
        self._thread = thread
        try:
            thread.start()
        except RuntimeError as error:  # the system gives no more threads
            self._thread = None
            raise GpuFailed(f"{self._name} cannot be asked: {error}") from error
        return thread

    def _run(self) -> None:
        answer: tuple[T] | GpuFailed
        try:
            answer = (self._ask(),)
        except GpuFailed as failure:
            answer = failure
        except Exception as error:
            logger.debug("asking %s failed unexpectedly", self._name, exc_info=True)
            answer = GpuFailed(f"{self._name} failed unexpectedly: {type(error).__name__}: {error}")
        with self._lock:
            self._answer = answer
            self._thread = None

    def _result(self) -> T:
        if self._thread is not None and self._asked_at is not None:
            waiting_s = self._clock.monotonic() - self._asked_at
            if waiting_s >= self._silence_s:
                raise GpuFailed(f"{self._name} has not answered for {waiting_s:.0f} s")
        if self._answer is None:
            raise GpuPending(f"{self._name} has not answered yet")
        if isinstance(self._answer, GpuFailed):
            raise self._answer.with_traceback(None)
        return self._answer[0]
