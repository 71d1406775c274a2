"""A chat stream as typed chunks, for the dialects that say the same in other words.

They ask for a stream even where their client wants the whole answer: a stream is what survives its engine.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec

from llamero.gateway.protocols import InferenceReply
from llamero.gateway.slots import RETRY_AFTER_S
from llamero.models.chat import ChatDelta, Finished, StreamChunk, Timings, Usage
from llamero.models.errors import LlameroError, RateLimited, Unavailable, UpstreamFailed
from llamero.services.llama.deltas import deltas_of, refusal
from llamero.services.llama.sse import SseSplitter

DONE = b"[DONE]"
_decode = msgspec.json.Decoder(StreamChunk).decode


async def chat_chunks(reply: InferenceReply) -> AsyncGenerator[StreamChunk, None]:
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


async def chat_deltas(reply: InferenceReply) -> AsyncGenerator[ChatDelta, None]:
    """Yield what a stream adds to its one choice; the last delta is Finished.

    Raises what `chat_chunks` raises, and UpstreamFailed for a stream that does not say how it ended.
    """
    reason: str | None = None
    stop_sequence: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    async for chunk in chat_chunks(reply):
        for delta in deltas_of(chunk):
            yield delta
        for choice in chunk.choices:
            reason = choice.finish_reason or reason
            stop_sequence = choice.stop_reason if isinstance(choice.stop_reason, str) else stop_sequence
        if chunk.report is not None:
            stop_sequence = chunk.report.stopping_word or stop_sequence
        usage = chunk.usage or usage
        timings = chunk.timings or timings
    if reason is None:
        raise UpstreamFailed(reason="the stream ended in the middle")
    yield Finished(reason, usage, timings, stop_sequence)


async def refused(reply: InferenceReply) -> LlameroError:
    """Return the error that a reply other than 200 stands for. Whoever asks to wait is passed on as such."""
    body = b"".join([piece async for piece in reply])
    if reply.status in (429, 503):
        seconds = next((value for name, value in reply.headers.items() if name.lower() == "retry-after"), "")
        retry_after = float(seconds) if seconds.isdecimal() else RETRY_AFTER_S
        return RateLimited(retry_after=retry_after) if reply.status == 429 else Unavailable(retry_after=retry_after)
    return refusal(reply.status, body)


def _chunk(data: bytes) -> StreamChunk:
    try:
        chunk = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"an event that is no chat chunk: {error}") from error
    if chunk.error is not None:
        raise refusal(500, data)
    return chunk
