"""The routes in Anthropic's dialect."""

from __future__ import annotations

from typing import Literal

import msgspec

from llamero.gateway.anthropic.wire import CountRequest, MessagesRequest
from llamero.gateway.description.fields import Object
from llamero.gateway.description.openai import HELLO
from llamero.gateway.description.operations import SERVER_SENT_EVENTS, Operation


class MessageUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens read and generated."""

    input_tokens: int
    output_tokens: int


class AnthropicMessage(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a conversation."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[Object]
    stop_reason: str | None
    usage: MessageUsage
    stop_sequence: str | None = None


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many tokens a conversation has as a prompt."""

    input_tokens: int


OPERATIONS = (
    Operation(
        route="POST /v1/messages",
        summary="Go on with a conversation",
        request=MessagesRequest,
        response=AnthropicMessage,
        example={"model": "demo", "max_tokens": 128, "messages": HELLO},
        events=(SERVER_SENT_EVENTS, "The events of Anthropic's API, from `message_start` to `message_stop`."),
    ),
    Operation(
        route="POST /v1/messages/count_tokens",
        summary="Count the tokens of a conversation",
        request=CountRequest,
        response=TokenCount,
        example={"model": "demo", "messages": HELLO},
    ),
)
