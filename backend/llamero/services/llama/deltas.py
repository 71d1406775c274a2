"""An answer as typed deltas, and an engine's refusal as an error of the tree.

Sources: `chat.completion.chunk` of the OpenAI API; llama-server's `{"error": {"code", "message", "type"}}`, with
`n_prompt_tokens` and `n_ctx` where a conversation is longer than the context.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator

import msgspec

from llamero.models.chat import (
    ChatDelta,
    Finished,
    PromptProgress,
    ReasoningDelta,
    StreamChunk,
    TextDelta,
    Timings,
    ToolCallDelta,
    Usage,
)
from llamero.models.errors import (
    AuthenticationFailed,
    ContextFull,
    Forbidden,
    InvalidRequest,
    LlameroError,
    NotFound,
    UpstreamFailed,
)
from llamero.services.llama.blame import named_param, refused_request
from llamero.services.replies import OpenReply

_REASON_LIMIT = 500
_CODE_LIMIT = 100
_CONTEXT_FULL = "exceed_context_size_error"
# What a server elsewhere says besides "mend the request"; clients react to it as if it were said here.
_REFUSED_BY_STATUS: dict[int, type[LlameroError]] = {401: AuthenticationFailed, 403: Forbidden, 404: NotFound}


class _Error(msgspec.Struct):
    message: str = ""
    type: str = ""
    code: int | str | None = None
    n_prompt_tokens: int | None = None
    n_ctx: int | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error | str = ""


async def deltas(
    answer: OpenReply, on_prompt: Callable[[PromptProgress], None] = lambda _: None
) -> AsyncGenerator[ChatDelta, None]:
    """Yield the typed deltas of a stream; the last one is Finished. `on_prompt` is told how far the prompt is read.

    Raises InvalidRequest when the engine finds fault with the request, UpstreamFailed when it fails or the answer
    breaks and cannot be healed.
    """
    reason: str | None = None
    usage: Usage | None = None
    timings: Timings | None = None
    async for block in answer.blocks():
        if answer.status != 200:
            raise refusal(answer.status, block.raw)
        for chunk in block.chunks:
            if chunk.error is not None:
                raise _error_of(500, chunk.error)
            if chunk.prompt_progress is not None:
                on_prompt(chunk.prompt_progress)
            for delta in deltas_of(chunk):
                yield delta
            usage = chunk.usage or usage
            timings = chunk.timings or timings
            reason = next((c.finish_reason for c in chunk.choices if c.finish_reason), reason)
    yield Finished(reason or "stop", usage, timings)


def refusal(status: int, body: bytes) -> LlameroError:
    """The error that an engine's answer of this status stands for."""
    try:
        return _error_of(status, msgspec.json.decode(body, type=_ErrorBody).error)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return UpstreamFailed(reason=f"it answered {status}: {body.decode('utf-8', 'replace')[:_REASON_LIMIT]}")


def _error_of(status: int, said: object) -> LlameroError:
    try:
        error = _Error(said) if isinstance(said, str) else msgspec.convert(said, _Error)
    except msgspec.ValidationError:
        error = _Error(str(said))
    if error.type == _CONTEXT_FULL and error.n_prompt_tokens is not None and error.n_ctx is not None:
        return ContextFull(tokens=error.n_prompt_tokens, limit=error.n_ctx)
    reason = error.message[:_REASON_LIMIT] or f"it answered {status}"
    if (at_fault := refused_request(reason)) is not None:
        return at_fault
    if 400 <= status < 500:
        param = named_param(reason)
        refused = _REFUSED_BY_STATUS.get(status, InvalidRequest)("chat_error-refused", param=param, reason=reason)
        if isinstance(error.code, str):
            refused.public_code = error.code[:_CODE_LIMIT]
        return refused
    return UpstreamFailed(reason=reason)


def deltas_of(chunk: StreamChunk) -> Iterator[ChatDelta]:
    """What a chunk adds, in the order in which it is said."""
    for choice in chunk.choices:
        delta = choice.delta
        logprobs = choice.logprobs.content or () if choice.logprobs is not None else ()
        if delta.reasoning_content:
            yield ReasoningDelta(delta.reasoning_content, () if delta.content else logprobs)
        if delta.content:
            yield TextDelta(delta.content, logprobs)
        for call in delta.tool_calls or ():
            yield ToolCallDelta(call.index, call.id, call.function.name, call.function.arguments or "")
