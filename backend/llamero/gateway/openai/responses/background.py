"""Responses that are written whether or not their client waits, and those who follow them.

Invariants: one in the background holds a slot like any other, and gives it back when it ends; a follower gets every
event from where it begins, once and in order, however late it comes; a cancelled one has ended and is kept as such
when `cancel` returns; when the gateway closes, each ends with that reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from llamero.gateway.openai.responses.generation import Generation
from llamero.gateway.protocols import Responses
from llamero.gateway.slots import RETRY_AFTER_S, StreamSlots
from llamero.models.errors import LlameroError, Unavailable
from llamero.models.responses import Item, Response
from llamero.services.access import Visitor


class BackgroundRun:
    """One response in the background. `is_streamed`: its events are kept, so that they can be told again."""

    def __init__(self, responses: Responses, items: Sequence[Item], *, is_streamed: bool) -> None:
        self.task: asyncio.Task[None] | None = None
        self._responses = responses
        self._items = items
        self.is_streamed = is_streamed
        self._events: list[bytes] = []
        self._has_ended = False
        self._changed = asyncio.Event()

    async def begin(self, response: Response) -> None:
        """Keep it, so that it can be asked for from now on."""
        await self._responses.begin(response, self._items)

    async def started(self, response: Response) -> None:
        """Let those who ask see that a model is at work."""
        await self._responses.update(response)

    async def end(self, response: Response, last: Sequence[bytes]) -> None:
        """Keep how it ended, and tell those who follow."""
        try:
            await self._responses.update(response, [*self._events, *last] if self.is_streamed else ())
        finally:
            self._add(last)
            self._has_ended = True
            self._wake()

    async def emit(self, events: Sequence[bytes]) -> None:
        """Take events in. What the end of the response tells comes by `end`."""
        if not self._has_ended:
            self._add(events)
            self._wake()

    async def follow(self, after: int = -1) -> AsyncIterator[bytes]:
        """Yield the events behind number `after`, and then those that come. An event's place is its number."""
        told = after + 1
        while True:
            changed = self._changed
            for event in self._events[told:]:
                yield event
                told += 1
            if self._has_ended and told >= len(self._events):
                return
            if changed is self._changed:
                await changed.wait()

    def _add(self, events: Sequence[bytes]) -> None:
        if self.is_streamed:
            self._events.extend(events)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


class BackgroundResponses:
    """Every response in the background of one gateway."""

    def __init__(self, slots: StreamSlots) -> None:
        self._slots = slots
        self._runs: dict[str, BackgroundRun] = {}

    def find(self, id: str) -> BackgroundRun | None:
        """The response of this id if it is being written."""
        return self._runs.get(id)

    async def start(self, run: BackgroundRun, generation: Generation, visitor: Visitor) -> Response:
        """Keep a response and begin to write it; it counts as one of the answers that its `visitor` has at once.

        Raises RateLimited where there is no room, Unavailable or IoFailed.
        """
        accepted: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        id = generation.builder.response.id
        run.task = asyncio.create_task(self._write(run, generation, visitor, accepted), name=f"response {id}")
        self._runs[id] = run
        run.task.add_done_callback(lambda _: self._runs.pop(id, None))
        return await asyncio.shield(accepted)

    async def cancel(self, id: str) -> None:
        """End a response with what has come; without effect when it is not being written."""
        run = self._runs.get(id)
        if run is not None and run.task is not None:
            run.task.cancel()
            await asyncio.wait((run.task,))

    async def close(self) -> None:
        """Wait until none is being written. The slots have cancelled them."""
        tasks = [run.task for run in self._runs.values() if run.task is not None]
        if tasks:
            await asyncio.wait(tasks)

    async def _write(
        self, run: BackgroundRun, generation: Generation, visitor: Visitor, accepted: asyncio.Future[Response]
    ) -> None:
        try:
            with self._slots.hold(), visitor.goes_on():
                await generation.begin(run.emit)
                accepted.set_result(generation.builder.response)
                await generation.run(run.emit, self._closing)
        except LlameroError as error:
            if not accepted.done():  # otherwise the response itself says how it failed
                accepted.set_exception(error)
        finally:
            if not accepted.done():
                accepted.set_exception(_shutting_down())

    def _closing(self) -> LlameroError | None:
        return _shutting_down() if self._slots.closing else None


def _shutting_down() -> LlameroError:
    return Unavailable("server_error-shutting_down", retry_after=RETRY_AFTER_S)
