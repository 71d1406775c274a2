"""Streams of text without a chat, as deltas: OpenAI's completions, and llama-server's own form, which `/infill` has.

Format: `{"choices": [{"text", "finish_reason"}], "usage", "timings"}`, and `{"content", "stop", "stop_type",
"tokens_evaluated", "tokens_predicted", "timings"}`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from llamero.gateway.chat_stream import DONE, refused
from llamero.gateway.protocols import InferenceReply
from llamero.models.chat import ChatDelta, ChunkLogprobs, Finished, Logprob, TextDelta, Timings, Usage
from llamero.models.errors import UpstreamFailed
from llamero.services.llama.deltas import refusal
from llamero.services.llama.sse import SseEvent, SseSplitter


class _Choice(msgspec.Struct):
    text: str = ""
    logprobs: ChunkLogprobs | None = None
    finish_reason: str | None = None


class _Piece(msgspec.Struct):
    choices: tuple[_Choice, ...] = ()
    content: str = ""
    stop: bool = False
    stop_type: str = ""
    completion_probabilities: tuple[Logprob, ...] = ()
    tokens_evaluated: int = 0
    tokens_predicted: int = 0
    usage: Usage | None = None
    timings: Timings | None = None
    error: object = None


_decode = msgspec.json.Decoder(_Piece).decode


async def completion_deltas(reply: InferenceReply) -> AsyncIterator[ChatDelta]:
    """Yield what a stream adds; the last delta is Finished. Raises as `chat_deltas` does."""
    reason: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    async for piece in _pieces(reply):
        text = piece.content + "".join(choice.text for choice in piece.choices)
        if text:
            yield TextDelta(text, _logprobs(piece))
        reason = next((choice.finish_reason for choice in piece.choices if choice.finish_reason), reason)
        usage, timings = piece.usage or usage, piece.timings or timings
        if piece.stop:
            reason = "length" if piece.stop_type == "limit" else "stop"
            read, written = piece.tokens_evaluated, piece.tokens_predicted
            usage = Usage(read, written, read + written)
    if reason is None:
        raise UpstreamFailed(reason="the stream ended in the middle")
    yield Finished(reason, usage, timings)


def _logprobs(piece: _Piece) -> tuple[Logprob, ...]:
    told = [choice.logprobs.content or () for choice in piece.choices if choice.logprobs is not None]
    return (*piece.completion_probabilities, *(logprob for content in told for logprob in content))


async def _pieces(reply: InferenceReply) -> AsyncIterator[_Piece]:
    if reply.status != 200:
        raise await refused(reply)
    splitter = SseSplitter()
    async for data in reply:
        for event in splitter.feed(data):
            if event.data is not None and event.data != DONE:
                yield _piece(event)
    for event in splitter.finish():
        if event.data is not None and event.data != DONE:
            yield _piece(event)


def _piece(event: SseEvent) -> _Piece:
    data = event.data or b""
    try:
        piece = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"an event that is no piece of a text: {error}") from error
    if piece.error is not None:
        raise refusal(500, data)
    return piece
