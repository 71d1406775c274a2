"""One response from its request to its end: asks for a chat, tells what comes of it, and has it kept.

Invariants: a client is told of a response only once it is kept, and of its end only once that is kept, too, so that a
next turn can build on it at once; however it ends (completed, failed, its client gone, Llamero closing), that is kept;
the engine is let go before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Protocol, cast

from msgspec.structs import replace

from llamero.gateway.chat_stream import chat_chunks, refused
from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.openai.responses.building import ResponseBuilder
from llamero.gateway.openai.responses.input_items import Message
from llamero.gateway.openai.responses.truncation import shortened
from llamero.gateway.protocols import Inference, InferenceReply
from llamero.http.errors import crashed
from llamero.models.errors import ContextFull, InvalidRequest, IoFailed, LlameroError, RateLimited, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.models.responses import Response, ResponseError

Emit = Callable[[Sequence[bytes]], Awaitable[None]]

logger = logging.getLogger(__name__)


class Keeping(Protocol):
    """Where a response is kept while it is written. Raises IoFailed."""

    async def begin(self, response: Response) -> None:
        """Keep one that begins."""
        ...

    async def started(self, response: Response) -> None:
        """Keep that a model is at work, where one was not before."""
        ...

    async def end(self, response: Response, last: Sequence[bytes]) -> None:
        """Keep how it ended; `last` are the events that will tell of it."""
        ...


class Generation:
    """A response that is being written. `run` once."""

    def __init__(
        self,
        builder: ResponseBuilder,
        request: InferenceRequest,
        inference: Inference,
        keeping: Keeping,
        envelope: ErrorEnvelope,
    ) -> None:
        self.builder = builder
        self.keeping = keeping
        self._request = request
        self._inference = inference
        self._envelope = envelope
        self._untold: list[bytes] = []
        self._last_word: bytes | None = None

    async def begin(self, emit: Emit) -> None:
        """Keep the response and tell that it exists. Left out, `run` does so once a model has taken the request."""
        # Whoever leaves from here on leaves something behind, whose end must be kept.
        self._untold = self.builder.begin()
        await self.keeping.begin(self.builder.response)
        created, self._untold = self._untold, []
        await emit(created)

    async def run(self, emit: Emit, closing: Callable[[], LlameroError | None]) -> Response:
        """Write the response. `closing` says, when this is cancelled, with which error of ours; None: it is not wanted.

        Raises what has made it fail, after that was kept: before `begin` nothing is.
        """
        try:
            await self._write(emit)
            last = self.builder.finish()
        except asyncio.CancelledError:
            error = closing()
            if error is not None:
                await self._fail(error)
            elif self.builder.begun:
                self.builder.cancel()
                await self._end(())
            raise
        except ConnectionError:
            self.builder.cancel()
            await self._end(())
            raise
        except LlameroError as error:
            await self._fail(error)
            raise
        except Exception as error:
            failure = crashed(error, where="a response")
            await self._fail(failure)
            raise failure from error
        await self._end(last)
        await emit(last)
        return self.builder.response

    def last_word(self, error: LlameroError) -> bytes:
        """The events that tell why a stream ends early, whether or not it had begun."""
        if self._last_word is None:
            opening = self._untold if self.builder.begun else self.builder.begin()
            self._last_word = b"".join([*opening, *self._failed(error)])
        return self._last_word

    async def _write(self, emit: Emit) -> None:
        answered = False
        while not answered:
            try:
                async with self._inference.stream(self._request) as reply:
                    answered = reply.status == 200
                    if answered:
                        await self._read(reply, emit)
                    else:
                        self._request = self._shorter(await refused(reply))
            except InvalidRequest as refusal:
                if (refusal.param or "").startswith("messages"):
                    refusal.param = "input"  # what the client's turns have become has no name in its dialect
                raise
        if not self.builder.is_whole:
            raise UpstreamFailed(reason="the stream ended in the middle")

    async def _read(self, reply: InferenceReply, emit: Emit) -> None:
        if not self.builder.begun:
            await self.begin(emit)
        started = self.builder.start()
        await _tried(self.keeping.started(self.builder.response))
        await emit(started)
        async with aclosing(chat_chunks(reply)) as chunks:
            async for chunk in chunks:
                if events := self.builder.add(chunk):
                    await emit(events)

    def _shorter(self, refusal: LlameroError) -> InferenceRequest:
        """The request without its oldest turns, where the client wants that; raises the refusal otherwise."""
        if not isinstance(refusal, ContextFull) or self.builder.response.truncation != "auto":
            raise refusal
        tokens, limit = int(refusal.arguments["tokens"]), int(refusal.arguments["limit"])
        messages = shortened(cast("list[Message]", self._request.body["messages"]), tokens, limit)
        if messages is None:
            raise refusal
        return replace(self._request, body={**self._request.body, "messages": messages})

    async def _fail(self, error: LlameroError) -> None:
        if not self.builder.begun:
            return
        events = self._failed(error)
        self._last_word = b"".join([*self._untold, *events])
        await self._end(events)

    def _failed(self, error: LlameroError) -> list[bytes]:
        fields = self._envelope.fields(error)
        said = ResponseError(code=_public_code(error), message=str(fields["message"]))
        logger.warning("a response failed: %s", error)
        return self.builder.fail(said, str(fields["code"]), error.param)

    async def _end(self, last: Sequence[bytes]) -> None:
        await _tried(self.keeping.end(self.builder.response, last))


async def _tried(keeping: Awaitable[None]) -> None:
    """An answer that cannot be kept is still one."""
    try:
        await keeping
    except IoFailed as error:
        logger.error("a response could not be kept: %s", error)


def _public_code(error: LlameroError) -> str:
    """One of the codes that the API lists."""
    if isinstance(error, RateLimited):
        return "rate_limit_exceeded"
    return "invalid_prompt" if isinstance(error, InvalidRequest) else "server_error"
