"""The event `requests`: what is new of requests, for the windows that look at them, a few times a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from llamero.bridge.hub import Hub
from llamero.models.inspector import (
    ListRequests,
    RenderedPrompt,
    RequestDetails,
    RequestList,
    RequestsChanged,
    RequestSummary,
)

INTERVAL_S = 0.25


class Inspector(Protocol):
    """What is recorded: `services.inspection.inspector.Inspector`, where each method is described."""

    on_change: Callable[[str | None], None]

    @property
    def keeps_content(self) -> bool: ...  # noqa: D102
    async def find(self, wanted: ListRequests) -> RequestList: ...  # noqa: D102
    def summary(self, id: str) -> RequestSummary | None: ...  # noqa: D102
    def details(self, id: str) -> RequestDetails: ...  # noqa: D102
    async def render_prompt(self, id: str) -> RenderedPrompt: ...  # noqa: D102
    async def replay(self, id: str) -> RequestSummary: ...  # noqa: D102
    def keep_content(self, wanted: bool) -> None: ...  # noqa: D102
    def clear(self) -> None: ...  # noqa: D102


class RequestsPush:
    """Who looks, and what they have not been told yet."""

    def __init__(self, inspector: Inspector, hub: Hub, *, interval_s: float = INTERVAL_S) -> None:
        self._inspector = inspector
        self._hub = hub
        self._interval_s = interval_s
        self._watching: set[str] = set()
        self._changed: dict[str, None] = {}
        self._is_reset = False
        self._timer: asyncio.TimerHandle | None = None
        inspector.on_change = self._note
        hub.when_forgotten(lambda window: self.watch(window, False))

    def watch(self, window: str, watching: bool) -> None:
        """A window looks at requests, or no longer does."""
        if watching:
            self._watching.add(window)
        else:
            self._watching.discard(window)

    def close(self) -> None:
        """Tell nobody any more."""
        self._watching.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _note(self, id: str | None) -> None:
        """Something is new; None: anything may be."""
        if not self._watching:
            return
        if id is None:
            self._is_reset = True
        else:
            self._changed[id] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._tell)

    def _tell(self) -> None:
        self._timer = None
        changed, self._changed = self._changed, {}
        is_reset, self._is_reset = self._is_reset, False
        found = [self._inspector.summary(id) for id in changed]
        told = RequestsChanged(requests=tuple([one for one in found if one is not None]), is_reset=is_reset)
        self._hub.event("requests", told, only=self._hub.connected() & self._watching)
