"""Types of fields that several dialects share, with the ranges that the gateway checks."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from llamero.gateway.fields import LARGEST_C_INT, RANGES

Object = dict[str, object]
ModelName = Annotated[str, Meta(min_length=1, description="A name from the list of models.")]
Stream = Annotated[bool, Meta(description="Send the answer piece by piece, as it comes.")]
Texts = str | list[str | int | list[int]]


def ranged(name: str, text: str) -> Meta:
    """The range of a number that the gateway checks, and what it does."""
    lowest, highest = RANGES[name]
    return Meta(ge=lowest, le=highest, description=text)


Temperature = Annotated[float, ranged("temperature", "0 takes the likeliest token every time; more is freer.")]
TopP = Annotated[float, ranged("top_p", "Only the likeliest tokens that together have this probability.")]
TopK = Annotated[int, ranged("top_k", "Only this many of the likeliest tokens; 0 is all.")]
MaxTokens = Annotated[int, ranged("max_tokens", "The longest answer in tokens; -1 has no limit.")]
Seed = Annotated[int, ranged("seed", "The same seed and request give the same answer.")]
Count = Annotated[int, Meta(ge=1, le=LARGEST_C_INT)]


class OpenAiErrorFields(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong: a sentence, a kind, a stable code, and the field at fault."""

    message: str
    type: str
    code: str
    param: str | None


class OpenAiError(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as the OpenAI API tells one."""

    error: OpenAiErrorFields


class AnthropicErrorFields(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong."""

    type: str
    message: str
    code: str
    param: str = ""


class AnthropicError(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as the Anthropic API tells one."""

    type: str
    error: AnthropicErrorFields
    request_id: str


class OllamaError(msgspec.Struct, frozen=True, kw_only=True):
    """An error, as Ollama tells one."""

    error: str
    code: str
    param: str = ""
