"""A chat stream as typed chunks, for the dialects that say the same in other words.

They ask for a stream even where their client wants the whole answer: a stream is what survives its engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from llamero.gateway.protocols import InferenceReply
from llamero.models.chat import StreamChunk
from llamero.models.errors import LlameroError, UpstreamFailed
from llamero.services.llama.deltas import refusal
from llamero.services.llama.sse import SseSplitter

DONE = b"[DONE]"
_decode = msgspec.json.Decoder(StreamChunk).decode


async def chat_chunks(reply: InferenceReply) -> AsyncIterator[StreamChunk]:
    """Yield the chunks of a stream as they arrive, without its end mark.

    Raises what the engine refuses with, and UpstreamFailed for an error in the stream or an event that is no chunk.
    """
    if reply.status != 200:
        raise await refused(reply)
    splitter = SseSplitter()
    async for data in reply:
        for event in splitter.feed(data):
            if event.data is not None and event.data != DONE:
                yield _chunk(event.data)
    for event in splitter.finish():
        if event.data is not None and event.data != DONE:
            yield _chunk(event.data)


async def refused(reply: InferenceReply) -> LlameroError:
    """Return the error that a reply other than 200 stands for."""
    return refusal(reply.status, b"".join([piece async for piece in reply]))


def _chunk(data: bytes) -> StreamChunk:
    try:
        chunk = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"an event that is no chat chunk: {error}") from error
    if chunk.error is not None:
        raise refusal(500, data)
    return chunk
