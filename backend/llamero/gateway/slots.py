"""Counts the requests that occupy an engine, and can end them all.

A slot is taken before the body is read, so that bodies waiting in memory are bounded, too.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager

from llamero.models.errors import RateLimited, Unavailable

RETRY_AFTER_S = 1.0


class StreamSlots:
    """At most `limit` requests at once. After `close` none is let in, and those inside are cancelled."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = False

    @property
    def closing(self) -> bool:
        """Whether requests are being ended by us."""
        return self._closing

    def __len__(self) -> int:
        return len(self._tasks)

    def hold(self) -> AbstractContextManager[None]:
        """Occupy a slot with the current task for as long as the context lasts.

        Raises `RateLimited`, or `Unavailable` after `close`.
        """
        if self._closing:
            raise Unavailable("server_error-shutting_down", retry_after=RETRY_AFTER_S)
        if len(self._tasks) >= self._limit:
            raise RateLimited(limit=self._limit, retry_after=RETRY_AFTER_S)
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a slot is held by a task")
        return _Held(self._tasks, task)

    def close(self) -> None:
        """End every request inside; each tells its client why. Idempotent."""
        if not self._closing:
            self._closing = True
            for task in self._tasks:
                task.cancel()


class _Held:
    """A slot that is taken. Every request takes one, and a generator would cost it more than all that is done here."""

    __slots__ = ("_task", "_tasks")

    def __init__(self, tasks: set[asyncio.Task[object]], task: asyncio.Task[object]) -> None:
        self._tasks = tasks
        self._task = task

    def __enter__(self) -> None:
        self._tasks.add(self._task)

    def __exit__(self, *_: object) -> None:
        self._tasks.discard(self._task)
