"""One round: as many streams as its case has, asked at the same moment, and what they say about their speed."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Protocol

from llamero.infrastructure.clock import Clock
from llamero.models.bench import BenchAnswer
from llamero.models.chat import ChatDelta, Finished, Timings, Usage
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.services.llama.deltas import deltas
from llamero.services.replies import OpenReply

# What makes answers of llama-server alike: none ends early, none finds its prompt read already.
ENGINE_FIELDS: dict[str, object] = {"ignore_eos": True, "cache_prompt": False}


class Inference(Protocol):
    """Answers requests with models: `services.inference.InferenceService`."""

    def stream(self, request: InferenceRequest) -> AbstractAsyncContextManager[OpenReply]:
        """Open the reply to a request."""
        ...


class Asker:
    """Asks one model."""

    def __init__(self, inference: Inference, clock: Clock, model: str, *, local: bool) -> None:
        self._inference = inference
        self._clock = clock
        self._model = model
        self._more = ENGINE_FIELDS if local else {}

    async def round(self, prompts: list[str], generated: int) -> list[BenchAnswer]:
        """Ask all prompts at once. Raises what `InferenceService.stream` and `deltas` raise; then none goes on."""
        began = self._clock.monotonic()
        tasks = [asyncio.create_task(self._ask(prompt, generated, began)) for prompt in prompts]
        try:
            return await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, prompt: str, generated: int, began: float) -> BenchAnswer:
        body: dict[str, object] = {
            "model": self._model,
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": generated,
            "stream": True,
            "stream_options": {"include_usage": True},
            **self._more,
        }
        first: float | None = None
        last: ChatDelta | None = None
        pieces = 0
        request = InferenceRequest(model=self._model, body=body)
        async with self._inference.stream(request) as reply, aclosing(deltas(reply)) as told:
            async for delta in told:
                last = delta
                if not isinstance(delta, Finished):
                    pieces += 1
                    first = self._clock.monotonic() if first is None else first
        end = self._clock.monotonic()
        if first is None or not isinstance(last, Finished):
            raise UpstreamFailed("bench_error-said_nothing", model=self._model)
        return _answer(last.usage, last.timings, pieces, first - began, end - began)


def _answer(usage: Usage | None, timings: Timings | None, pieces: int, first_s: float, end_s: float) -> BenchAnswer:
    """Put together what is known; a server that counts no tokens has sent one with each piece, as far as is known."""
    prompt = usage.prompt_tokens if usage is not None else 0
    generated = usage.completion_tokens if usage is not None else pieces
    if timings is None:
        return BenchAnswer(prompt_tokens=prompt, generated_tokens=generated, first_token_s=first_s, end_s=end_s)
    return BenchAnswer(
        prompt_tokens=prompt or timings.prompt_n,
        generated_tokens=generated or timings.predicted_n,
        first_token_s=first_s,
        end_s=end_s,
        prompt_speed=_speed(timings.prompt_n, timings.prompt_ms),
        generation_speed=_speed(timings.predicted_n, timings.predicted_ms),
    )


def _speed(tokens: int, milliseconds: float) -> float | None:
    return 1000 * tokens / milliseconds if milliseconds > 0 else None
