"""One way to a model for the window and the gateway alike: alias, defaults, destination, reply.

Invariant: `ChatCompletions` is told once for every request that named a model, whether it succeeded or not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from llamero.models.aliases import LocalDestination
from llamero.models.errors import ModelNotFound
from llamero.models.events import ChatCompletions
from llamero.models.inference import InferenceRequest
from llamero.services.llama.answer import Answer
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.service import LlamaCppService
from llamero.services.routing import Router


class InferenceService:
    """Answers requests with models."""

    def __init__(self, llama: LlamaCppService, router: Router, listeners: Listeners) -> None:
        self._llama = llama
        self._router = router
        self._listeners = listeners

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[Answer]:
        """Open the reply to a request; leaving the context frees the engine.

        Raises ModelNotFound, and what `LlamaCppService.open` raises.
        """
        destination = await self._router.resolve(request.model)
        if not isinstance(destination, LocalDestination):
            raise ModelNotFound(model=request.model, param="model")
        config = destination.config
        if request.keep_alive_s is not None:
            config = replace(config, keep_alive_s=request.keep_alive_s)
        try:
            async with self._llama.open(config, request.endpoint, request.body) as answer:
                yield answer
        finally:
            self._listeners.tell(ChatCompletions(destination.alias))
