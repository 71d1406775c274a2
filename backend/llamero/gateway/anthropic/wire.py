"""The Messages API as its clients write it. Source: the types of Anthropic's Python SDK, `anthropic.types`.

What is not named here is not part of the translation: it is passed on (`request.py`) or means nothing to an engine.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class TextBlock(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """A text."""

    text: str


class Base64Source(msgspec.Struct, frozen=True, tag_field="type", tag="base64"):
    """An image within the request."""

    media_type: Literal["image/jpeg", "image/png", "image/gif", "image/webp"]
    data: str


class UrlSource(msgspec.Struct, frozen=True, tag_field="type", tag="url"):
    """An image elsewhere."""

    url: str


class ImageBlock(msgspec.Struct, frozen=True, tag_field="type", tag="image"):
    """A picture."""

    source: Base64Source | UrlSource


class ToolUseBlock(msgspec.Struct, frozen=True, tag_field="type", tag="tool_use"):
    """A call that the model has made."""

    id: str
    name: str
    input: dict[str, object] = {}


class ToolResultBlock(msgspec.Struct, frozen=True, tag_field="type", tag="tool_result"):
    """What came of a call."""

    tool_use_id: str
    content: str | tuple[TextBlock | ImageBlock, ...] = ""


class ThinkingBlock(msgspec.Struct, frozen=True, tag_field="type", tag="thinking"):
    """What the model thought before it answered."""

    thinking: str


class RedactedThinkingBlock(msgspec.Struct, frozen=True, tag_field="type", tag="redacted_thinking"):
    """Thoughts that only their author can read."""


Block = TextBlock | ImageBlock | ToolUseBlock | ToolResultBlock | ThinkingBlock | RedactedThinkingBlock


class Message(msgspec.Struct, frozen=True):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | tuple[Block, ...]


class Tool(msgspec.Struct, frozen=True):
    """A tool of the client's. Those that run at Anthropic have no schema, and cannot run here."""

    name: str
    input_schema: dict[str, object]
    description: str = ""


class ToolChoice(msgspec.Struct, frozen=True):
    """Whether the model must call. `name` is that of the tool for `tool`."""

    type: Literal["auto", "any", "tool", "none"]
    name: str = ""
    disable_parallel_tool_use: bool = False


class Thinking(msgspec.Struct, frozen=True):
    """Whether, and for how many tokens, the model may think."""

    type: str
    budget_tokens: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class OutputFormat(msgspec.Struct, frozen=True):
    """The JSON schema of the answer."""

    type: Literal["json_schema"]
    schema: dict[str, object]


class OutputConfig(msgspec.Struct, frozen=True):
    """How the answer should be."""

    format: OutputFormat | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None


class CountRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of `POST /v1/messages/count_tokens`."""

    model: Annotated[str, Meta(min_length=1)]
    messages: tuple[Message, ...]
    system: str | tuple[TextBlock, ...] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None


class MessagesRequest(CountRequest, frozen=True, kw_only=True):
    """The fields of `POST /v1/messages` that are translated."""

    max_tokens: Annotated[int, Meta(ge=1, le=2**31 - 1)]
    stop_sequences: tuple[str, ...] | None = None
    stream: bool | None = None
