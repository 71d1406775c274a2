"""State listeners: each hears every event once and in order, from a queue and a task of its own.

A listener that is slow or raises delays nobody else, and never the actor. A listener that falls more than
`MAX_BACKLOG` events behind loses the oldest ones, and the log says so once until it has caught up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from llamero.models.events import StateEvent

MAX_BACKLOG = 10_000

Listener = Callable[[StateEvent], Awaitable[None]]

logger = logging.getLogger(__name__)


class Subscription:
    """One listener. `cancel` ends it; an event that is being handled then is cut short."""

    def __init__(self, listener: Listener, subscriptions: dict[Subscription, None]) -> None:
        self._listener = listener
        self._subscriptions = subscriptions
        self._backlog: deque[StateEvent] = deque(maxlen=MAX_BACKLOG)
        self._wake = asyncio.Event()
        self._losing = False
        self._task = asyncio.create_task(self._run(), name="state listener")
        subscriptions[self] = None

    def tell(self, event: StateEvent) -> None:
        """Queue an event for this listener."""
        if len(self._backlog) == MAX_BACKLOG and not self._losing:
            self._losing = True
            logger.warning("a state listener is %d events behind; its oldest are dropped", MAX_BACKLOG)
        self._backlog.append(event)
        self._wake.set()

    async def cancel(self) -> None:
        """Stop listening. Idempotent; a listener may do this to itself."""
        self._subscriptions.pop(self, None)
        self._backlog.clear()
        self._task.cancel()
        if self._task is not asyncio.current_task():
            await asyncio.wait((self._task,))

    async def _run(self) -> None:
        while await self._wake.wait():
            self._wake.clear()
            while self._backlog:
                await self._handle(self._backlog.popleft())
            self._losing = False

    async def _handle(self, event: StateEvent) -> None:
        try:
            await self._listener(event)
        except asyncio.CancelledError:
            if self._task.cancelling():
                raise
            logger.exception("a state listener was cut short on %r", event)
        except Exception:
            logger.exception("a state listener failed on %r", event)


class Listeners:
    """All subscriptions."""

    def __init__(self) -> None:
        self._subscriptions: dict[Subscription, None] = {}

    def subscribe(self, listener: Listener) -> Subscription:
        """Call `listener` with every event from now on."""
        return Subscription(listener, self._subscriptions)

    def tell(self, event: StateEvent) -> None:
        """Queue the event for everybody; returns at once."""
        for subscription in self._subscriptions:
            subscription.tell(event)

    async def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            await subscription.cancel()
