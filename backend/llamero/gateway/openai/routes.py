"""The routes in the OpenAI dialect.

A model's name may have slashes, so the last part of `/v1/models/{id}` takes them, too.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from llamero.gateway.chat_request import check_chat_request
from llamero.gateway.openai.embeddings import completion
from llamero.gateway.openai.requests import check_completion, check_embedding, check_rerank, check_transcription
from llamero.gateway.relay import Relay
from llamero.gateway.surface import Surface, json_response
from llamero.http.bodies import expect_later, read_body, read_json_object
from llamero.models.aliases import ListedModel
from llamero.models.errors import ModelNotFound
from llamero.models.inference import CHAT, COMPLETIONS, EMBEDDINGS, RERANK, TRANSCRIPTIONS, InferenceRequest
from llamero.services.forms import read_form

Check = Callable[[Mapping[str, object]], str]
# The endpoints whose clients may ask for events.
STREAMED = frozenset({CHAT, COMPLETIONS})


class OpenAiRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._services = surface.services
        self._created = int(time.time())

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/v1/models", self.list_models, expect_handler=expect_later)
        router.add_get("/v1/models/{id:.+}", self.get_model, expect_handler=expect_later)
        for path, endpoint, check in (
            (CHAT, CHAT, check_chat_request),
            (COMPLETIONS, COMPLETIONS, check_completion),
            (EMBEDDINGS, EMBEDDINGS, check_embedding),
            (RERANK, RERANK, check_rerank),
            ("/rerank", RERANK, check_rerank),
        ):
            router.add_post(path, self._asking(endpoint, check), expect_handler=expect_later)
        router.add_post(TRANSCRIPTIONS, self.transcribe, expect_handler=expect_later)

    async def list_models(self, request: web.Request) -> web.Response:
        """Every model, in the order in which it is listed."""
        listed = await self._services.models.listed()
        return json_response({"object": "list", "data": [self._model(model) for model in listed]})

    async def get_model(self, request: web.Request) -> web.Response:
        """One model by name."""
        try:
            return json_response(self._model(await self._services.models.find(request.match_info["id"])))
        except ModelNotFound as error:
            error.param = "model"
            raise

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """What is said in an audio file. The form passes as it came."""
        with self._surface.slots.hold():
            content = await read_body(request, self._surface.limits)
            form = read_form(request.headers.get("Content-Type", ""), content)
            asked = InferenceRequest(model=check_transcription(form), endpoint=TRANSCRIPTIONS, form=form)
            return await Relay(request, self._surface).run(self._services.inference.stream(asked))

    def _asking(self, endpoint: str, check: Check) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """A handler that answers as the engine does, by events or whole."""

        async def ask(request: web.Request) -> web.StreamResponse:
            with self._surface.slots.hold():
                body = await read_json_object(request, self._surface.limits)
                asked = InferenceRequest(model=check(body), body=body, endpoint=endpoint)
                held = endpoint in STREAMED and body.get("stream") is True
                shown = completion(body) if endpoint == EMBEDDINGS else None
                relay = Relay(request, self._surface, held=held, shown=shown)
                return await relay.run(self._services.inference.stream(asked))

        return ask

    def _model(self, model: ListedModel) -> dict[str, object]:
        """Describe a model. The API wants a time; where none is known it is our start."""
        return {
            "id": model.id,
            "object": "model",
            "created": model.created or self._created,
            "owned_by": model.owned_by,
        }
