"""State listeners: each hears every event once and in order, from a queue and a task of its own.

A listener that is slow or raises delays nobody else, and never the actor. A listener that falls more than
`MAX_BACKLOG` events behind loses the oldest ones, and the log says so.
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

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._backlog: deque[StateEvent] = deque(maxlen=MAX_BACKLOG)
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="state listener")

    def tell(self, event: StateEvent) -> None:
        """Queue an event for this listener."""
        if len(self._backlog) == MAX_BACKLOG:
            logger.warning("a state listener is %d events behind; its oldest are dropped", MAX_BACKLOG)
        self._backlog.append(event)
        self._wake.set()

    async def cancel(self) -> None:
        """Stop listening."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._backlog:
                event = self._backlog.popleft()
                try:
                    await self._listener(event)
                except Exception:
                    logger.exception("a state listener failed on %r", event)


class Listeners:
    """All subscriptions."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []

    def subscribe(self, listener: Listener) -> Subscription:
        """Call `listener` with every event from now on."""
        subscription = Subscription(listener)
        self._subscriptions.append(subscription)
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End a subscription. Unknown ones are ignored."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            await subscription.cancel()

    def tell(self, event: StateEvent) -> None:
        """Queue the event for everybody; returns at once."""
        for subscription in self._subscriptions:
            subscription.tell(event)

    async def close(self) -> None:
        """End all subscriptions."""
        for subscription in list(self._subscriptions):
            await self.unsubscribe(subscription)
