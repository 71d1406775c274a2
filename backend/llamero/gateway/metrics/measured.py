"""Counts what is asked of models, around whatever answers: every dialect asks through here, and so does the window."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Generic, Protocol, TypeVar

from llamero.gateway.metrics.counts import Counts
from llamero.gateway.metrics.model_labels import ModelLabels
from llamero.gateway.protocols import InferenceReply, recoveries_of, timings_of, tokens_of
from llamero.models.inference import InferenceRequest
from llamero.services.replies import EVENT_STREAM

Reply = TypeVar("Reply", bound=InferenceReply, covariant=True)

FINISHED, BROKEN, CANCELLED = "finished", "failed", "cancelled"
PROMPT, GENERATED = "prompt", "generated"


class Asked(Protocol[Reply]):
    """Answers requests with replies of some kind."""

    def stream(self, request: InferenceRequest) -> AbstractAsyncContextManager[Reply]:
        """Open a reply."""
        ...


class MeasuredInference(Generic[Reply]):
    """An `Inference` that counts. An engine's reply begins with its first token, so opening it takes until then."""

    def __init__(self, inner: Asked[Reply], counts: Counts, labels: ModelLabels) -> None:
        self._inner = inner
        self._counts = counts
        self._labels = labels

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[Reply]:
        """Open a reply. Raises what the services raise."""
        loop = asyncio.get_running_loop()
        began, outcome, answered = loop.time(), BROKEN, False
        try:
            async with self._inner.stream(request) as reply:
                answered, waited_s = reply.status < 400, loop.time() - began
                try:
                    yield reply
                finally:  # not before: the client comes first
                    self._ended(request.model, reply, waited_s)
                outcome = FINISHED if answered else BROKEN
        except (asyncio.CancelledError, ConnectionError, GeneratorExit):
            outcome = CANCELLED
            raise
        finally:
            self._counts.model_requests[self._labels.label(request.model, answered=answered), outcome] += 1

    def _ended(self, name: str, reply: InferenceReply, waited_s: float) -> None:
        if reply.status >= 400:
            return
        model, counts = self._labels.label(name, answered=True), self._counts
        # A reply in one piece begins with its end, which says nothing about its first token.
        if reply.headers.get("Content-Type", "").startswith(EVENT_STREAM):
            counts.first_token[model].observe(waited_s)
        if (tokens := tokens_of(reply)) is not None:
            counts.tokens[model, PROMPT] += tokens.prompt
            counts.tokens[model, GENERATED] += tokens.generated
        if (timings := timings_of(reply)) is not None:
            counts.engine_tokens[model, PROMPT] += timings.prompt_n
            counts.engine_tokens[model, GENERATED] += timings.predicted_n
            counts.engine_seconds[model, PROMPT] += timings.prompt_ms / 1000
            counts.engine_seconds[model, GENERATED] += timings.predicted_ms / 1000
        continued, replayed = recoveries_of(reply)
        if continued or replayed:
            counts.recoveries[model, "continued"] += continued
            counts.recoveries[model, "replayed"] += replayed
