"""The routes in the OpenAI dialect.

A model's name may have slashes, so the last part of `/v1/models/{id}` takes them, too.
"""

from __future__ import annotations

import time

from aiohttp import web

from llamero.gateway.chat_request import check_chat_request
from llamero.gateway.relay import Relay
from llamero.gateway.surface import Surface, json_response
from llamero.http.bodies import expect_later, read_json_object
from llamero.models.aliases import ListedModel
from llamero.models.errors import ModelNotFound
from llamero.models.inference import InferenceRequest


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
        router.add_post("/v1/chat/completions", self.chat_completions, expect_handler=expect_later)

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

    async def chat_completions(self, request: web.Request) -> web.StreamResponse:
        """An answer to a conversation, streamed or whole, as the engine gives it."""
        with self._surface.slots.hold():
            body = await read_json_object(request, self._surface.limits)
            model = check_chat_request(body)
            opening = self._services.inference.stream(InferenceRequest(model=model, body=body))
            return await Relay(request, self._surface, held=body.get("stream") is True).run(opening)

    def _model(self, model: ListedModel) -> dict[str, object]:
        """Describe a model. The API wants a time; where none is known it is our start."""
        return {
            "id": model.id,
            "object": "model",
            "created": model.created or self._created,
            "owned_by": model.owned_by,
        }
