"""The routes of the Responses API.

Upstream every request is a streamed chat, whatever the client wants, because a stream is what survives its engine.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Sequence

from aiohttp import web

from llamero.gateway.access import VISITOR
from llamero.gateway.delivery import deliver
from llamero.gateway.openai.responses.background import BackgroundResponses, BackgroundRun
from llamero.gateway.openai.responses.building import ResponseBuilder
from llamero.gateway.openai.responses.generation import Generation, Keeping
from llamero.gateway.openai.responses.input_items import chat_messages
from llamero.gateway.openai.responses.keeping import Kept, NotKept
from llamero.gateway.openai.responses.query import is_streamed, page_wanted, starting_after
from llamero.gateway.openai.responses.request import ResponseRequest, read_request
from llamero.gateway.protocols import Responses
from llamero.gateway.slots import RETRY_AFTER_S
from llamero.gateway.sse import EventStream
from llamero.gateway.surface import Surface, json_response
from llamero.http.bodies import expect_later, read_json_object
from llamero.http.middleware import client_is_gone
from llamero.models.errors import InvalidRequest, LlameroError, Unavailable
from llamero.models.inference import InferenceRequest
from llamero.services.access import ANYBODY

_PATH = "/v1/responses/{id}"


class ResponsesRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface, responses: Responses) -> None:
        self._surface = surface
        self._responses = responses
        self._background = BackgroundResponses(surface.slots)

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_post("/v1/responses", self.create, expect_handler=expect_later)
        router.add_get(_PATH, self.retrieve, expect_handler=expect_later)
        router.add_delete(_PATH, self.delete, expect_handler=expect_later)
        router.add_post(f"{_PATH}/cancel", self.cancel, expect_handler=expect_later)
        router.add_get(f"{_PATH}/input_items", self.input_items, expect_handler=expect_later)
        app.on_cleanup.append(self._close)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """An answer to a conversation: whole, as events, or, in the background, later."""
        with self._surface.slots.hold():
            asked = read_request(await read_json_object(request, self._surface.limits), new_id, time.time())
            response = asked.response
            items = await self._responses.conversation(asked.input, response.previous_response_id)
            chat = asked.chat | {"messages": chat_messages(items, response.instructions)}
            if not response.background:
                keeping = Kept(self._responses, asked.input) if response.store else NotKept()
                return await self._answer(request, asked, self._generation(asked, chat, keeping))
        run = BackgroundRun(self._responses, asked.input, is_streamed=asked.stream)
        visitor = request.get(VISITOR, ANYBODY)
        begun = await self._background.start(run, self._generation(asked, chat, run), visitor)
        return await self._told(request, run.follow()) if asked.stream else json_response(begun)

    async def retrieve(self, request: web.Request) -> web.StreamResponse:
        """A response that is kept, or the events that told of it."""
        id = request.match_info["id"]
        if not is_streamed(request.query):
            return json_response(await self._responses.find(id))
        after = starting_after(request.query)
        run = self._background.find(id)
        if run is not None and run.is_streamed:
            return await self._told(request, run.follow(after))
        events = await self._responses.events(id)
        return await self._told(request, _each(events[after + 1 :]))

    async def delete(self, request: web.Request) -> web.Response:
        """Forget a response; one that is being written in the background ends."""
        id = request.match_info["id"]
        await self._background.cancel(id)
        await self._responses.delete(id)
        return json_response({"id": id, "object": "response", "deleted": True})

    async def cancel(self, request: web.Request) -> web.Response:
        """End a response in the background. One that has ended is returned as it ended."""
        id = request.match_info["id"]
        response = await self._responses.find(id)
        if not response.background:
            raise InvalidRequest("response_error-not_background")
        await self._background.cancel(id)
        return json_response(await self._responses.find(id))

    async def input_items(self, request: web.Request) -> web.Response:
        """What was put in, page by page."""
        wanted = page_wanted(request.query)
        page = await self._responses.input_items(
            request.match_info["id"], limit=wanted.limit, newest_first=wanted.newest_first, after=wanted.after
        )
        return json_response(page)

    def _generation(self, asked: ResponseRequest, chat: dict[str, object], keeping: Keeping) -> Generation:
        builder = ResponseBuilder(asked.response, new_id, time.time)
        request = InferenceRequest(model=asked.response.model, body=chat)
        return Generation(builder, request, self._surface.services.inference, keeping, self._surface.envelope)

    async def _answer(self, request: web.Request, asked: ResponseRequest, generation: Generation) -> web.StreamResponse:
        """Answer on the connection that asked: when it goes, so does the generation."""

        def closing() -> LlameroError | None:
            if not self._surface.slots.closing or client_is_gone(request):
                return None
            return Unavailable("server_error-shutting_down", retry_after=RETRY_AFTER_S)

        async def answering(stream: EventStream) -> web.StreamResponse:
            async def emit(events: Sequence[bytes]) -> None:
                if asked.stream:
                    await stream.forward(b"".join(events))

            response = await generation.run(emit, closing)
            return await stream.end() if asked.stream else json_response(response)

        return await deliver(request, self._surface, answering, error_event=generation.last_word, held=asked.stream)

    async def _told(self, request: web.Request, events: AsyncIterator[bytes]) -> web.StreamResponse:
        """Answer with events of which others know, too: when this client goes, nothing else ends."""
        async with EventStream(request, silence_s=self._surface.limits.silence_s) as stream:
            await stream.open()
            async for event in events:
                await stream.forward(event)
            return await stream.end()

    async def _close(self, _: web.Application) -> None:
        await self._background.close()


def new_id(prefix: str) -> str:
    """An id that nobody guesses."""
    return f"{prefix}_{secrets.token_hex(24)}"


async def _each(events: Sequence[bytes]) -> AsyncIterator[bytes]:
    for event in events:
        yield event
