"""The routes in Anthropic's dialect."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence

from aiohttp import web
from msgspec.structs import replace

from llamero.gateway.anthropic.counting import count_tokens
from llamero.gateway.anthropic.errors import REQUEST_ID, AnthropicErrors, new_request_id
from llamero.gateway.anthropic.request import TELLS_STOP_SEQUENCE, chat_body, prompt_fields
from llamero.gateway.anthropic.response import MessageEvents, whole_message
from llamero.gateway.anthropic.wire import CountRequest, MessagesRequest
from llamero.gateway.chat_request import check_chat_request
from llamero.gateway.chat_stream import chat_deltas
from llamero.gateway.decoding import converted
from llamero.gateway.delivery import Answering, deliver
from llamero.gateway.protocols import InferenceReply
from llamero.gateway.sse import EVENT_HEADERS, EventStream
from llamero.gateway.surface import Surface, json_response
from llamero.http.bodies import expect_later, read_json_object
from llamero.models.chat import ChatDelta, Finished
from llamero.models.inference import InferenceRequest


class AnthropicRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface, errors: AnthropicErrors) -> None:
        self._surface = surface
        self._inference = surface.services.inference
        self._errors = errors

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_post("/v1/messages", self.messages, expect_handler=expect_later)
        app.router.add_post("/v1/messages/count_tokens", self.count_tokens, expect_handler=expect_later)

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """An answer to a conversation, streamed or whole."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            asked = converted(body, MessagesRequest)
            chat = chat_body(body, asked)
            check_chat_request(chat)
            identifier = f"msg_{secrets.token_hex(12)}"
            headers = {REQUEST_ID: new_request_id()}
            added = frozenset(TELLS_STOP_SEQUENCE.keys() - body.keys())
            wanted = InferenceRequest(model=asked.model, body=chat, engine_only=added)
            opening = self._inference.stream(wanted)

            async def answering(stream: EventStream) -> web.StreamResponse:
                async with opening as reply:
                    if asked.stream:
                        message = MessageEvents(identifier, asked.model)
                        async for events in _events(_deltas(reply, asked.stop_sequences), message):
                            await stream.forward(events)
                        return await stream.end()
                    deltas = [delta async for delta in _deltas(reply, asked.stop_sequences)]
                return json_response(whole_message(identifier, asked.model, deltas), headers=headers)

            return await self._deliver(request, answering, headers, held=bool(asked.stream))

    async def count_tokens(self, request: web.Request) -> web.StreamResponse:
        """How many tokens a conversation has as a prompt."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            asked = converted(body, CountRequest)
            headers = {REQUEST_ID: new_request_id()}

            async def answering(_: EventStream) -> web.StreamResponse:
                counted = await count_tokens(self._inference, asked.model, prompt_fields(asked))
                return json_response({"input_tokens": counted}, headers=headers)

            return await self._deliver(request, answering, headers, held=False)

    async def _deliver(
        self, request: web.Request, answering: Answering, headers: dict[str, str], *, held: bool
    ) -> web.StreamResponse:
        return await deliver(
            request,
            self._surface,
            answering,
            error_event=self._errors.event,
            held=held,
            headers={**EVENT_HEADERS, **headers},
        )


async def _deltas(reply: InferenceReply, stop_sequences: Sequence[str] | None) -> AsyncIterator[ChatDelta]:
    """The deltas of an answer. What its template ended it with is no stop sequence of the client's."""
    async for delta in chat_deltas(reply):
        if isinstance(delta, Finished) and delta.stop_sequence not in (stop_sequences or ()):
            yield replace(delta, stop_sequence=None)
        else:
            yield delta


async def _events(deltas: AsyncIterator[ChatDelta], message: MessageEvents) -> AsyncIterator[bytes]:
    """The events of a message. The first one waits for the engine, so that its refusal can be a status."""
    begun = False
    async for delta in deltas:
        if not begun:
            begun = True
            yield message.start()
        yield message.add(delta)
