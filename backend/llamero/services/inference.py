"""One way to a model for the window and the gateway alike: alias, destination, reply.

Invariant: `ChatCompletions` is told once for every request that named a model, whether it succeeded or not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llamero.models.events import ChatCompletions
from llamero.models.inference import InferenceRequest
from llamero.services.catalog import ModelCatalog
from llamero.services.llama.answer import Answer
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.service import LlamaCppService


class InferenceService:
    """Answers requests with models."""

    def __init__(self, llama: LlamaCppService, catalog: ModelCatalog, listeners: Listeners) -> None:
        self._llama = llama
        self._catalog = catalog
        self._listeners = listeners

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[Answer]:
        """Open the reply to a request; leaving the context frees the engine.

        Raises ModelNotFound, and what `LlamaCppService.open` raises.
        """
        alias = request.model.alias
        config = self._catalog.config(alias)
        try:
            async with self._llama.open(config, request.endpoint, request.body) as answer:
                yield answer
        finally:
            self._listeners.tell(ChatCompletions(alias))
