"""Where a response goes while it is written: to the service that keeps it, or, with `store: false`, nowhere."""

from __future__ import annotations

from collections.abc import Sequence

from llamero.gateway.protocols import Responses
from llamero.models.responses import Item, Response


class Kept:
    """Kept with what was put in."""

    def __init__(self, responses: Responses, items: Sequence[Item]) -> None:
        self._responses = responses
        self._items = items

    async def begin(self, response: Response) -> None:
        """Keep one that begins."""
        await self._responses.begin(response, self._items)

    async def started(self, response: Response) -> None:
        """Do nothing: it was kept as being written."""

    async def end(self, response: Response, last: Sequence[bytes]) -> None:
        """Keep how it ended."""
        await self._responses.update(response)


class NotKept:
    """Forgotten as soon as it is told."""

    async def begin(self, response: Response) -> None:
        """Do nothing."""

    async def started(self, response: Response) -> None:
        """Do nothing."""

    async def end(self, response: Response, last: Sequence[bytes]) -> None:
        """Do nothing."""
