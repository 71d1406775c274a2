"""Forwards an engine's reply to the client: events as they come, other bodies whole, refusals in our envelope.

Invariants: the bytes of an event stream are those of the engine; of its headers only the content type passes (a
llama-server would let any web page in by its CORS headers); leaving, by whatever way, closes the engine's reply; after
the first byte an error is one last event, or where there are no events a connection cut short.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.protocols import InferenceReply
from llamero.gateway.slots import RETRY_AFTER_S, StreamSlots
from llamero.http.errors import crashed
from llamero.http.middleware import client_is_gone
from llamero.models.errors import LlameroError, Unavailable

EVENT_STREAM = "text/event-stream"
EVENT_HEADERS = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # reverse proxies of the nginx kind hold streams back otherwise
}
# Larger pieces are written in parts, so that back-pressure acts within them.
PIECE_BYTES = 64 * 1024
# Up to here a body that is not a stream is collected, so that an engine's failure is an error and not half a body.
COLLECTED_BYTES = 1024 * 1024
REFUSAL_BYTES = 64 * 1024
# How long a last word to a slow reader may take while we are closing.
LAST_WORD_S = 0.5


class Relay:
    """One request's answer: `run` once."""

    def __init__(self, request: web.Request, envelope: ErrorEnvelope, slots: StreamSlots) -> None:
        self._request = request
        self._envelope = envelope
        self._slots = slots
        self._events: web.StreamResponse | None = None

    async def run(self, opening: AbstractAsyncContextManager[InferenceReply]) -> web.StreamResponse:
        """Open the reply and forward it. Raises `LlameroError` only while nothing has been sent."""
        try:
            async with opening as reply:
                return await self._forward(reply)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self._slots.closing or client_is_gone(self._request) or task is None:
                raise
            task.uncancel()
            return await self._end(Unavailable("server_error-shutting_down", retry_after=RETRY_AFTER_S))
        except LlameroError as error:
            return await self._end(error)
        except Exception as error:
            if client_is_gone(self._request) or self._events is None:
                raise
            return await self._end(crashed(error, where="a stream"))

    async def _forward(self, reply: InferenceReply) -> web.StreamResponse:
        if not 200 <= reply.status < 300:
            return await self._forward_refusal(reply)
        kind = _header(reply.headers, "Content-Type") or "application/json"
        if kind.partition(";")[0].strip().lower() == EVENT_STREAM:
            return await self._forward_events(reply)
        return await self._forward_body(reply, kind)

    async def _forward_events(self, reply: InferenceReply) -> web.StreamResponse:
        response = web.StreamResponse(status=reply.status, headers=EVENT_HEADERS)
        writer = await self._start(response)
        self._events = response
        # This loop runs once per token: nothing is created or scheduled in it that the write itself does not need.
        async for chunk in reply:
            if len(chunk) <= PIECE_BYTES:
                await writer.write(chunk)
            else:
                await _write_in_pieces(writer, chunk)
        await response.write_eof()
        return response

    async def _forward_body(self, reply: InferenceReply, kind: str) -> web.StreamResponse:
        collected = bytearray()
        chunks = aiter(reply)
        async for chunk in chunks:
            collected += chunk
            if len(collected) > COLLECTED_BYTES:
                break
        else:
            return web.Response(status=reply.status, body=bytes(collected), headers={"Content-Type": kind})
        response = web.StreamResponse(status=reply.status, headers={"Content-Type": kind})
        writer = await self._start(response)
        await _write_in_pieces(writer, bytes(collected))
        async for chunk in chunks:
            await _write_in_pieces(writer, chunk)
        await response.write_eof()
        return response

    async def _forward_refusal(self, reply: InferenceReply) -> web.StreamResponse:
        body = bytearray()
        async for chunk in reply:
            body += chunk
            if len(body) > REFUSAL_BYTES:
                break
        return self._envelope.upstream_response(reply.status, bytes(body), _header(reply.headers, "Retry-After"))

    async def _start(self, response: web.StreamResponse) -> AbstractStreamWriter:
        writer = await response.prepare(self._request)
        if writer is None:
            raise RuntimeError("a response is prepared once")
        return writer

    async def _end(self, error: LlameroError) -> web.StreamResponse:
        """Tell the client why its answer ends here: as an event where a stream has begun, else as the answer."""
        response = self._events
        if response is None:
            raise error
        if client_is_gone(self._request):
            raise ConnectionResetError("the client is gone") from error
        async with asyncio.timeout(LAST_WORD_S if self._slots.closing else None):
            await response.write(self._envelope.event(error))
            await response.write_eof()
        return response


async def _write_in_pieces(writer: AbstractStreamWriter, chunk: bytes) -> None:
    view = memoryview(chunk)
    for start in range(0, len(view), PIECE_BYTES):
        await writer.write(view[start : start + PIECE_BYTES])


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """Look a header up without regard to case, in whatever mapping."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)
