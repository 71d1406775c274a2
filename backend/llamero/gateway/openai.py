"""The routes in the OpenAI dialect.

A model's name may have slashes, so the last part of `/v1/models/{id}` takes them, too.
"""

from __future__ import annotations

import time

import msgspec
from aiohttp import web

from llamero.gateway.chat_request import check_chat_request
from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.limits import Limits
from llamero.gateway.protocols import Catalog, Inference
from llamero.gateway.relay import Relay
from llamero.gateway.slots import StreamSlots
from llamero.http.bodies import expect_later, read_json_object
from llamero.models.errors import ModelNotFound
from llamero.models.inference import InferenceRequest
from llamero.models.llama import ModelId


class OpenAiRoutes:
    """Handlers and what they need."""

    def __init__(
        self, inference: Inference, catalog: Catalog, envelope: ErrorEnvelope, slots: StreamSlots, limits: Limits
    ) -> None:
        self._inference = inference
        self._catalog = catalog
        self._envelope = envelope
        self._slots = slots
        self._limits = limits
        self._created = int(time.time())

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/v1/models", self.list_models, expect_handler=expect_later)
        router.add_get("/v1/models/{id:.+}", self.get_model, expect_handler=expect_later)
        router.add_post("/v1/chat/completions", self.chat_completions, expect_handler=expect_later)

    async def list_models(self, request: web.Request) -> web.Response:
        """Every model, in the catalogue's order."""
        return _json({"object": "list", "data": [self._model(model) for model in self._catalog.models()]})

    async def get_model(self, request: web.Request) -> web.Response:
        """One model by name."""
        return _json(self._model(self._find(request.match_info["id"])))

    async def chat_completions(self, request: web.Request) -> web.StreamResponse:
        """An answer to a conversation, streamed or whole, as the engine gives it."""
        with self._slots.hold():
            body = await read_json_object(request, self._limits)
            model = self._find(check_chat_request(body))
            opening = self._inference.stream(InferenceRequest(model=model, body=body))
            return await Relay(request, self._envelope, self._slots).run(opening)

    def _find(self, name: str) -> ModelId:
        try:
            return self._catalog.find(name)
        except ModelNotFound as error:
            error.param = "model"
            raise

    def _model(self, model: ModelId) -> dict[str, object]:
        """Describe a model. When a file came to be is not known here; the API wants a time, so it is our start."""
        return {"id": model.alias, "object": "model", "created": self._created, "owned_by": "llamero"}


def _json(document: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(document), content_type="application/json")
