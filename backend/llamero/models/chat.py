"""Streams as typed data: the chunks of the OpenAI surface, and the deltas that a chat shows.

Chunk format: `chat.completion.chunk` and `text_completion` of the OpenAI API, with `reasoning_content`, `timings` and
`prompt_progress` as llama-server adds them. Decoding ignores fields that are not named here; forwarding never goes
through these types.
"""

from __future__ import annotations

import msgspec


class FunctionDelta(msgspec.Struct, frozen=True):
    """A piece of a tool call's function."""

    name: str | None = None
    arguments: str | None = None


class ToolCallChunk(msgspec.Struct, frozen=True):
    """A piece of the tool call at `index`."""

    index: int = 0
    id: str | None = None
    function: FunctionDelta = FunctionDelta()


class TopLogprob(msgspec.Struct, frozen=True):
    """A token that could have stood in a place. `bytes` is its UTF-8, which may be a part of a character."""

    token: str = ""
    logprob: float = 0.0
    bytes: tuple[int, ...] | None = None


class Logprob(msgspec.Struct, frozen=True):
    """A token, how likely it was, and what else could have stood there."""

    token: str = ""
    logprob: float = 0.0
    bytes: tuple[int, ...] | None = None
    top_logprobs: tuple[TopLogprob, ...] | None = ()


class ChunkDelta(msgspec.Struct, frozen=True):
    """What a chunk adds to one choice."""

    role: str | None = None
    content: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCallChunk, ...] | None = None


class ChunkLogprobs(msgspec.Struct, frozen=True):
    """How likely the tokens of a chunk were, where the request has `logprobs`."""

    content: tuple[Logprob, ...] | None = None


class ChunkChoice(msgspec.Struct, frozen=True):
    """One choice of a chunk: a chat adds a `delta` to it, a completion `text`.

    `stop_reason` is vLLM's: the stop sequence, or the token, that ended the answer.
    """

    index: int = 0
    delta: ChunkDelta = ChunkDelta()
    text: str | None = None
    finish_reason: str | None = None
    stop_reason: object = None
    logprobs: ChunkLogprobs | None = None


class PromptTokensDetails(msgspec.Struct, frozen=True):
    """How much of a prompt was read before."""

    cached_tokens: int | None = None


class CompletionTokensDetails(msgspec.Struct, frozen=True):
    """How much of an answer was reasoning."""

    reasoning_tokens: int | None = None


class Usage(msgspec.Struct, frozen=True):
    """Token counts of a request. The details are None where the engine does not tell them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    prompt_tokens_details: PromptTokensDetails | None = None
    completion_tokens_details: CompletionTokensDetails | None = None


class Timings(msgspec.Struct, frozen=True):
    """llama-server's own clock: tokens and milliseconds of prompt and generation; `cache_n` were read before."""

    cache_n: int = 0
    prompt_n: int = 0
    prompt_ms: float = 0.0
    predicted_n: int = 0
    predicted_ms: float = 0.0


class TokenCounts(msgspec.Struct, frozen=True):
    """How many tokens a request took: of its prompt, as far as they had to be read, and of its answer."""

    prompt: int = 0
    generated: int = 0


class WholeAnswer(msgspec.Struct, frozen=True):
    """What an answer in one piece says about itself."""

    usage: Usage | None = None
    timings: Timings | None = None


class PromptProgress(msgspec.Struct, frozen=True):
    """How far a prompt is read, in tokens; sent before the answer when the request has `return_progress`."""

    total: int = 0
    cache: int = 0
    processed: int = 0


class EngineReport(msgspec.Struct, frozen=True):
    """What llama-server adds to the last chunk of a chat whose request is `verbose`, as far as it is used here."""

    stopping_word: str = ""


class StreamChunk(msgspec.Struct, frozen=True):
    """One event of a stream. `error` is set on an error event, which ends the stream.

    llama-server's own completion has no `choices`: it adds `content` to choice `index`, and says when it will `stop`.
    """

    id: str = ""
    created: int = 0
    model: str = ""
    choices: tuple[ChunkChoice, ...] = ()
    usage: Usage | None = None
    timings: Timings | None = None
    prompt_progress: PromptProgress | None = None
    report: EngineReport | None = msgspec.field(name="__verbose", default=None)
    error: object = None
    content: str | None = None
    index: int = 0
    stop: bool = False


class TextDelta(msgspec.Struct, frozen=True, tag=True):
    """More of the answer. `logprobs` of its tokens where the request asks for them."""

    text: str
    logprobs: tuple[Logprob, ...] = ()


class ReasoningDelta(msgspec.Struct, frozen=True, tag=True):
    """More of the reasoning before the answer; otherwise as `TextDelta`."""

    text: str
    logprobs: tuple[Logprob, ...] = ()


class ToolCallDelta(msgspec.Struct, frozen=True, tag=True):
    """More of a tool call: `arguments` is a piece of a JSON text."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The answer is complete. `reason` as the engine gave it: stop, length, tool_calls.

    `stop_sequence` is what ended it, where the engine says so.
    """

    reason: str
    usage: Usage | None = None
    timings: Timings | None = None
    stop_sequence: str | None = None


ChatDelta = TextDelta | ReasoningDelta | ToolCallDelta | Finished
