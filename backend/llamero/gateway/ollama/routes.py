"""The routes in Ollama's dialect that ask a model: chat, generation, embeddings.

A request without anything to answer loads its model, or with a `keep_alive` of 0 lets it go; the latter is for others
to feel, so it takes a key that may manage. For the same reason the `keep_alive` of another key counts only where it
keeps the model longer than its alias does: the request is answered, and the model stays.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from aiohttp import web
from msgspec.structs import replace

from llamero.gateway.access import demand, may
from llamero.gateway.chat_stream import chat_deltas
from llamero.gateway.decoding import converted
from llamero.gateway.delivery import Answering, deliver
from llamero.gateway.fields import check_numbers
from llamero.gateway.ollama import request as translation
from llamero.gateway.ollama.completion import completion_deltas
from llamero.gateway.ollama.durations import keep_alive_s
from llamero.gateway.ollama.embedding import embed, embed_request
from llamero.gateway.ollama.errors import OllamaErrors
from llamero.gateway.ollama.names import known_name
from llamero.gateway.ollama.response import AnswerLines, Clock
from llamero.gateway.ollama.wire import (
    AnswerRequest,
    EmbedRequest,
    GenerateRequest,
    OllamaChatRequest,
    OllamaEmbeddingsRequest,
)
from llamero.gateway.protocols import InferenceReply
from llamero.gateway.sse import EventStream
from llamero.gateway.surface import Surface, json_response
from llamero.gateway.vectors import shortened
from llamero.http.bodies import expect_later, read_json_object
from llamero.models.access import Scope
from llamero.models.chat import ChatDelta
from llamero.models.inference import CHAT, COMPLETIONS, InferenceRequest

LINE_HEADERS = {
    "Content-Type": "application/x-ndjson",
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # reverse proxies of the nginx kind hold streams back otherwise
}
INFILL = "/infill"
_NS_PER_S = 1_000_000_000

Deltas = Callable[[InferenceReply], AsyncIterator[ChatDelta]]


class OllamaRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface, errors: OllamaErrors, clock: Clock) -> None:
        self._surface = surface
        self._services = surface.services
        self._errors = errors
        self._clock = clock

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        for path, handler in (
            ("/api/chat", self.chat),
            ("/api/generate", self.generate),
            ("/api/embed", self.embed),
            ("/api/embeddings", self.embeddings),
        ):
            app.router.add_post(path, handler, expect_handler=expect_later)

    async def chat(self, request: web.Request) -> web.StreamResponse:
        """The next message of a conversation."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            asked = converted(body, OllamaChatRequest)
            lines = AnswerLines(asked.model, self._clock, as_chat=True)
            if not asked.messages:
                return await self._load_or_unload(request, asked, lines)
            return await self._answer(request, asked, lines, CHAT, translation.chat_body(body, asked), chat_deltas)

    async def generate(self, request: web.Request) -> web.StreamResponse:
        """The response to a prompt."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            asked = converted(body, GenerateRequest)
            lines = AnswerLines(asked.model, self._clock, as_chat=False)
            if not asked.prompt and not asked.suffix:
                return await self._load_or_unload(request, asked, lines)
            if asked.suffix:
                infill = translation.infill_body(body, asked)
                return await self._answer(request, asked, lines, INFILL, infill, completion_deltas)
            if asked.raw:
                raw = translation.raw_body(body, asked)
                return await self._answer(request, asked, lines, COMPLETIONS, raw, completion_deltas)
            chat = translation.generate_body(body, asked)
            return await self._answer(request, asked, lines, CHAT, chat, chat_deltas)

    async def embed(self, request: web.Request) -> web.StreamResponse:
        """A vector for each text."""
        with self._surface.slots.hold():
            asked = converted(await read_json_object(request, self._surface.limits), EmbedRequest)
            texts = (asked.input,) if isinstance(asked.input, str) else asked.input
            began = self._clock.monotonic()

            async def answering(_: EventStream) -> web.StreamResponse:
                model, keep_alive = await self._known(asked.model), keep_alive_s(asked.keep_alive)
                document: dict[str, object] = {"model": asked.model, "embeddings": []}
                if texts:
                    wanted = embed_request(model, texts, asked.dimensions)
                    embedded = await embed(self._services.inference, _kept(request, wanted, keep_alive), len(texts))
                    vectors = embedded.vectors
                    if asked.dimensions is not None:
                        vectors = [shortened(vector, asked.dimensions) for vector in vectors]
                    document |= {"embeddings": vectors, "prompt_eval_count": embedded.usage.prompt_tokens}
                else:
                    await self._load(request, model, keep_alive)
                elapsed = round((self._clock.monotonic() - began) * _NS_PER_S)
                return json_response({**document, "total_duration": elapsed, "load_duration": 0})

            return await self._deliver(request, answering)

    async def embeddings(self, request: web.Request) -> web.StreamResponse:
        """The vector of one text, in the older form."""
        with self._surface.slots.hold():
            asked = converted(await read_json_object(request, self._surface.limits), OllamaEmbeddingsRequest)

            async def answering(_: EventStream) -> web.StreamResponse:
                model, keep_alive = await self._known(asked.model), keep_alive_s(asked.keep_alive)
                if not asked.prompt:
                    await self._load(request, model, keep_alive)
                    return json_response({"embedding": []})
                wanted = embed_request(model, (asked.prompt,))
                embedded = await embed(self._services.inference, _kept(request, wanted, keep_alive), 1)
                return json_response({"embedding": embedded.vectors[0]})

            return await self._deliver(request, answering)

    async def _answer(
        self,
        request: web.Request,
        asked: AnswerRequest,
        lines: AnswerLines,
        endpoint: str,
        body: dict[str, object],
        deltas: Deltas,
    ) -> web.StreamResponse:
        """Ask the engine, and tell what it says line by line or whole."""
        check_numbers(body)
        keep_alive = keep_alive_s(asked.keep_alive)

        async def answering(stream: EventStream) -> web.StreamResponse:
            model = await self._known(asked.model)
            wanted = InferenceRequest(model=model, body={**body, "model": model}, endpoint=endpoint)
            async with self._services.inference.stream(_kept(request, wanted, keep_alive)) as reply:
                if not asked.is_streamed:
                    return json_response(lines.whole([delta async for delta in deltas(reply)]))
                async for delta in deltas(reply):
                    line = lines.add(delta)
                    if line:
                        await stream.forward(line)
                return await stream.end()

        return await self._deliver(request, answering)

    async def _load_or_unload(
        self, request: web.Request, asked: AnswerRequest, lines: AnswerLines
    ) -> web.StreamResponse:
        keep_alive = keep_alive_s(asked.keep_alive)
        if keep_alive == 0:
            demand(request, Scope.MANAGEMENT)

        async def answering(_: EventStream) -> web.StreamResponse:
            model = await self._known(asked.model)
            if keep_alive == 0:
                await self._services.servers.unload(model)
                return json_response(lines.only_ending("unload"))
            await self._load(request, model, keep_alive)
            return json_response(lines.only_ending("load"))

        return await self._deliver(request, answering)

    async def _load(self, request: web.Request, model: str, keep_alive: float | None) -> None:
        await self._services.servers.load(model, keep_alive, may_shorten=may(request, Scope.MANAGEMENT))

    async def _known(self, name: str) -> str:
        return await known_name(self._services.models, name)

    async def _deliver(self, request: web.Request, answering: Answering) -> web.StreamResponse:
        """Nothing can be said to a client that waits for lines: an empty one would be no JSON."""
        return await deliver(
            request,
            self._surface,
            answering,
            error_event=self._errors.line,
            held=False,
            headers=LINE_HEADERS,
        )


def _kept(request: web.Request, wanted: InferenceRequest, keep_alive: float | None) -> InferenceRequest:
    """The request with the time for which its model is to stay, as far as this visitor may say that."""
    return replace(wanted, keep_alive_s=keep_alive, may_shorten=may(request, Scope.MANAGEMENT))
