"""Names of models as labels: only those that are listed, since a client may ask for any name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llamero.gateway.protocols import Models

OTHER = "other"
LIMIT = 500
REFRESH_S = 60.0


class ModelLabels:
    """Knows the listed names; a name that is new is looked for in the list once a minute at most."""

    def __init__(self, models: Models, now: Callable[[], float] | None = None) -> None:
        self._models = models
        self._now = now or (lambda: asyncio.get_running_loop().time())
        self._known: set[str] = set()
        self._read_at: float | None = None

    async def label(self, name: str) -> str:
        """Return the name, or `other` where it is not listed."""
        if name in self._known:
            return name
        now = self._now()
        if self._read_at is None or now - self._read_at >= REFRESH_S:
            self._read_at = now
            for model in await self._models.listed():
                if len(self._known) < LIMIT:
                    self._known.add(model.id)
        return name if name in self._known else OTHER
