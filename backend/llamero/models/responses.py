"""Responses as the Responses API of OpenAI has them: what is sent, and what is kept for the next turn.

Source of the format: `types/responses` of the `openai` package. Every field that its types require is there, null where
there is nothing to say. An *item* is one step of a conversation: a message, a call of a function, what that returned,
reasoning. Items that clients send are kept as they came; those of a model are Structs. Times are seconds
since the epoch.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from llamero.models.chat import Logprob

Item = dict[str, object]
REFERENCE = "item_reference"
"""The type of an item that stands for another one, which was sent or answered before."""


class ResponseStatus(StrEnum):
    """How a response stands. `queued` and `in_progress` on disk after a start mean that the app died."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNFINISHED = frozenset({ResponseStatus.QUEUED, ResponseStatus.IN_PROGRESS})


class ItemStatus(StrEnum):
    """How an item stands."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"


class OutputText(msgspec.Struct, frozen=True, tag_field="type", tag="output_text"):
    """The text of a message. A model of one's own cites nothing, so there are never annotations."""

    text: str
    annotations: tuple[Item, ...] = ()
    logprobs: tuple[Logprob, ...] = ()


class ReasoningText(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning_text"):
    """What a model thought, in its own words."""

    text: str


class OutputMessage(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """A message of the model."""

    id: str
    status: ItemStatus
    role: str = "assistant"
    content: tuple[OutputText, ...] = ()


class FunctionCall(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """A function that the client should call. `arguments` is JSON as the model wrote it; `call_id` names its output."""

    id: str
    status: ItemStatus
    call_id: str
    name: str
    arguments: str = ""


class Reasoning(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="reasoning"):
    """What the model thought before it answered. It is not summarized, and not encrypted."""

    id: str
    status: ItemStatus
    summary: tuple[Item, ...] = ()
    content: tuple[ReasoningText, ...] = ()
    encrypted_content: str | None = None


OutputItem = OutputMessage | FunctionCall | Reasoning


class InputTokensDetails(msgspec.Struct, frozen=True):
    """How much of a prompt the engine had read before."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(msgspec.Struct, frozen=True):
    """How much of an answer was reasoning; 0 where the engine does not count it."""

    reasoning_tokens: int = 0


class ResponseUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_tokens_details: InputTokensDetails = InputTokensDetails()
    output_tokens_details: OutputTokensDetails = OutputTokensDetails()


class ResponseError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a response failed: one of the codes that the API lists, and a sentence."""

    code: str
    message: str


class IncompleteDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why a response is not whole: `max_output_tokens` or `content_filter`."""

    reason: str


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """One response. What the request said about how to answer is repeated in it, as clients expect."""

    id: str
    object: str = "response"
    created_at: int
    status: ResponseStatus
    background: bool = False
    completed_at: int | None = None
    error: ResponseError | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    metadata: dict[str, str] = {}
    model: str
    output: tuple[OutputItem, ...] = ()
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    prompt_cache_key: str | None = None
    reasoning: Item = {}
    safety_identifier: str | None = None
    service_tier: str | None = None
    store: bool = True
    temperature: float | None = None
    text: Item = {}
    tool_choice: str | Item = "auto"
    tools: tuple[Item, ...] = ()
    top_logprobs: int | None = None
    top_p: float | None = None
    truncation: str = "disabled"
    usage: ResponseUsage | None = None
    user: str | None = None


class ItemPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list of items. `first_id` and `last_id` are null where it is empty."""

    object: str = "list"
    data: tuple[Item, ...] = ()
    first_id: str | None = None
    last_id: str | None = None
    has_more: bool = False
