"""Forwards an engine's reply to the client: events as they come, other bodies whole, refusals in our envelope.

Invariants: the bytes of an event stream are those of the engine; of its headers only the content type passes (a
llama-server would let any web page in by its CORS headers); leaving, by whatever way, closes the engine's reply; after
the first byte an error is one last event, or where there are no events a connection cut short.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager

from aiohttp import web

from llamero.gateway.delivery import deliver
from llamero.gateway.protocols import InferenceReply, pouring
from llamero.gateway.sse import EVENT_STREAM, EventStream, write_in_pieces
from llamero.gateway.surface import Surface
from llamero.models.errors import UpstreamFailed

# Up to here a body that is not a stream is collected, so that an engine's failure is an error and not half a body.
COLLECTED_BYTES = 1024 * 1024
REFUSAL_BYTES = 64 * 1024


class Relay:
    """One request's answer: `run` once.

    `held`: the client wants events, and is kept company until they come. `shown` says what is shown of a whole body.
    """

    def __init__(
        self,
        request: web.Request,
        surface: Surface,
        *,
        held: bool = False,
        shown: Callable[[bytes], bytes] | None = None,
    ) -> None:
        self._request = request
        self._surface = surface
        self._envelope = surface.envelope
        self._held = held
        self._shown = shown

    async def run(self, opening: AbstractAsyncContextManager[InferenceReply]) -> web.StreamResponse:
        """Open the reply and forward it. Raises `LlameroError` only while nothing has been sent."""

        async def answering(stream: EventStream) -> web.StreamResponse:
            async with opening as reply:
                return await self._forward(reply, stream)

        return await deliver(self._request, self._surface, answering, error_event=self._envelope.event, held=self._held)

    async def _forward(self, reply: InferenceReply, stream: EventStream) -> web.StreamResponse:
        kind = _header(reply.headers, "Content-Type") or "application/json"
        is_stream = kind.partition(";")[0].strip().lower() == EVENT_STREAM
        if not 200 <= reply.status < 300:
            return await self._forward_refusal(reply, stream)
        if is_stream:
            await stream.open()
            if (pour := pouring(reply)) is not None:
                await pour(stream)
            else:
                async for events in reply:
                    await stream.forward(events)
            return await stream.end()
        return await self._forward_body(reply, kind, stream)

    async def _forward_body(self, reply: InferenceReply, kind: str, stream: EventStream) -> web.StreamResponse:
        collected = bytearray()
        chunks = aiter(reply)
        async for chunk in chunks:
            collected += chunk
            if len(collected) > COLLECTED_BYTES and self._shown is None:
                return await self._forward_large_body(reply.status, kind, collected, chunks, stream)
        body = self._shown(bytes(collected)) if self._shown is not None else bytes(collected)
        if stream.withdraw():
            return web.Response(status=reply.status, body=body, headers={"Content-Type": kind})
        await stream.send(body)
        return await stream.end()

    async def _forward_large_body(
        self, status: int, kind: str, collected: bytearray, rest: AsyncIterator[bytes], stream: EventStream
    ) -> web.StreamResponse:
        if not stream.withdraw():
            raise UpstreamFailed(reason="no events came, but a body too large for one")
        response = web.StreamResponse(status=status, headers={"Content-Type": kind})
        writer = await response.prepare(self._request)
        if writer is None:
            raise RuntimeError("a response is prepared once")
        await write_in_pieces(writer, bytes(collected))
        async for chunk in rest:
            await write_in_pieces(writer, chunk)
        await response.write_eof()
        return response

    async def _forward_refusal(self, reply: InferenceReply, stream: EventStream) -> web.StreamResponse:
        body = bytearray()
        async for chunk in reply:
            body += chunk
            if len(body) > REFUSAL_BYTES:
                break
        if stream.withdraw():
            return self._envelope.upstream_response(reply.status, bytes(body), _header(reply.headers, "Retry-After"))
        await stream.send_json({"error": self._envelope.upstream_fields(reply.status, bytes(body))})
        return await stream.end()


def _header(headers: Mapping[str, str], name: str) -> str | None:
    """Look a header up without regard to case, in whatever mapping."""
    wanted = name.lower()
    return next((value for key, value in headers.items() if key.lower() == wanted), None)
