"""Counts what is asked of models, around whatever answers: every dialect asks through here."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llamero.gateway.metrics.counts import Counts
from llamero.gateway.metrics.model_labels import ModelLabels
from llamero.gateway.protocols import Inference, InferenceReply, tokens_of
from llamero.models.inference import InferenceRequest

FINISHED, BROKEN, CANCELLED = "finished", "failed", "cancelled"


class MeasuredInference:
    """An `Inference` that counts. An engine's reply begins with its first token, so opening it takes until then."""

    def __init__(self, inner: Inference, counts: Counts, labels: ModelLabels) -> None:
        self._inner = inner
        self._counts = counts
        self._labels = labels

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[InferenceReply]:
        """Open a reply. Raises what the services raise."""
        model = await self._labels.label(request.model)
        loop = asyncio.get_running_loop()
        began, outcome = loop.time(), BROKEN
        try:
            async with self._inner.stream(request) as reply:
                self._counts.first_byte[model].observe(loop.time() - began)
                try:
                    yield reply
                finally:
                    self._count_tokens(model, reply)
                outcome = FINISHED if reply.status < 400 else BROKEN
        except (asyncio.CancelledError, ConnectionError, GeneratorExit):
            outcome = CANCELLED
            raise
        finally:
            self._counts.model_requests[model, outcome] += 1

    def _count_tokens(self, model: str, reply: InferenceReply) -> None:
        if (tokens := tokens_of(reply)) is not None:
            self._counts.tokens[model, "prompt"] += tokens.prompt
            self._counts.tokens[model, "generated"] += tokens.generated
