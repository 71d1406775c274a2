"""What is kept of responses, for how long, and what a next turn is told of the ones before.

Invariants: deleting is final: neither a turn that builds on a deleted response nor one that is still being written
brings it back; what a crash or an end of Llamero left unfinished has failed after the next start, with a reason.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.storage.responses import ResponseStore
from llamero.models.errors import (
    Conflict,
    InternalError,
    InvalidRequest,
    LlameroError,
    NotFound,
    PreviousResponseNotFound,
)
from llamero.models.responses import REFERENCE, UNFINISHED, Item, ItemPage, Response, ResponseError, ResponseStatus
from llamero.models.settings import DAY_S, ResponsesSettings

PRUNE_EVERY = 100  # responses
_MEGABYTE = 1024 * 1024
_EVENT_END = b"\n\n"

logger = logging.getLogger(__name__)


class ResponseService:
    """The responses of one database. `messages` returns the text of an error for a person.

    Every method raises IoFailed when the database cannot be used.
    """

    def __init__(
        self, store: ResponseStore, clock: Clock, settings: ResponsesSettings, messages: Callable[[LlameroError], str]
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings
        self._messages = messages
        self._until_pruned = PRUNE_EVERY

    async def recover(self) -> None:
        """To be called once after opening: end what the last run left unfinished, and forget what is old."""
        for response in await self._store.unfinished():
            message = self._messages(InternalError("response_error-interrupted"))
            error = ResponseError(code="server_error", message=message)
            await self._store.update(replace(response, status=ResponseStatus.FAILED, error=error))
        await self._prune()

    async def begin(self, response: Response, items: Sequence[Item]) -> None:
        """Keep a response that begins, with what was put in."""
        self._until_pruned -= 1
        if self._until_pruned <= 0:
            await self._prune()
        await self._store.add(response, items)

    async def update(self, response: Response, events: Sequence[bytes] = ()) -> None:
        """Keep how a response stands now or has ended, and the events of its stream if they may be asked for."""
        told = zlib.compress(b"".join(events)) if events else None
        await self._store.update(response, told)

    async def find(self, id: str) -> Response:
        """A response with its output. Raises NotFound."""
        found = await self._store.find(id)
        if found is None:
            raise _not_found(id)
        return found

    async def delete(self, id: str) -> None:
        """Forget a response for good. Raises NotFound."""
        if not await self._store.delete(id):
            raise _not_found(id)

    async def events(self, id: str) -> list[bytes]:
        """The events of a stream that has ended. Raises NotFound, and InvalidRequest where they were not kept."""
        told = await self._store.events(id)
        if told is None:
            await self.find(id)
            raise InvalidRequest("response_error-not_streamable", param="stream")
        whole = zlib.decompress(told)
        return [event + _EVENT_END for event in whole.split(_EVENT_END) if event]

    async def conversation(self, items: Sequence[Item], previous_id: str | None) -> list[Item]:
        """What a model is told: all turns up to `previous_id` and these items, with the items that they refer to.

        Raises PreviousResponseNotFound, also where an earlier turn was deleted, Conflict while the last one is still
        being written, and NotFound for an unknown item.
        """
        told: list[Item] = []
        if previous_id is not None:
            history = await self._store.history(previous_id)
            if history.missing is not None:
                raise PreviousResponseNotFound(id=history.missing, param="previous_response_id")
            if history.status in UNFINISHED:
                raise Conflict("response_error-previous_unfinished", id=previous_id, param="previous_response_id")
            told.extend(history.items)
        told.extend(items)
        return [await self._resolved(item) for item in told]

    async def input_items(self, id: str, *, limit: int, newest_first: bool, after: str | None) -> ItemPage:
        """What was put in, `limit` items of it behind the item `after`. Raises NotFound, and InvalidRequest."""
        items = await self._store.input_items(id)
        if items is None:
            raise _not_found(id)
        ordered = list(reversed(items)) if newest_first else list(items)
        start = 0
        if after is not None:
            start = next((number for number, item in enumerate(ordered, 1) if item["id"] == after), -1)
            if start < 0:
                raise InvalidRequest("response_error-item_not_found", id=after, param="after")
        shown = ordered[start : start + limit]
        return ItemPage(
            data=tuple(shown),
            first_id=str(shown[0]["id"]) if shown else None,
            last_id=str(shown[-1]["id"]) if shown else None,
            has_more=len(ordered) > start + limit,
        )

    async def _resolved(self, item: Item) -> Item:
        if item.get("type") != REFERENCE:
            return item
        id = str(item["id"])
        found = await self._store.item(id)
        if found is None:
            raise NotFound("response_error-item_not_found", id=id, param="input")
        return found

    async def _prune(self) -> None:
        self._until_pruned = PRUNE_EVERY
        oldest = self._clock.time() - self._settings.keep_days * DAY_S
        forgotten = await self._store.prune(oldest, self._settings.max_mb * _MEGABYTE)
        if forgotten:
            logger.info("%d conversations of programs were old enough to be forgotten", forgotten)


def _not_found(id: str) -> NotFound:
    return NotFound("response_error-not_found", id=id)
