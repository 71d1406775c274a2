"""Ollama's API as its clients write it. Source: Ollama's `docs/api.md`, and the types of its Python client.

A field that is not named here is passed on to the engine, or means nothing to it (`request.py`).
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Name = Annotated[str, Meta(min_length=1)]


class CalledFunction(msgspec.Struct, frozen=True):
    """What is called; the arguments are an object, not a text."""

    name: str
    arguments: dict[str, object] = {}


class MadeCall(msgspec.Struct, frozen=True):
    """A call that the model has made."""

    function: CalledFunction
    id: str | None = None


class Turn(msgspec.Struct, frozen=True):
    """One turn. `images` are base64; `tool_name` says of a tool's answer which one it was."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    thinking: str | None = None
    images: tuple[str, ...] | None = None
    tool_calls: tuple[MadeCall, ...] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class ModelRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What every request for a model has. `keep_alive` in seconds, or a duration such as `5m`."""

    model: Name
    options: dict[str, object] | None = None
    keep_alive: float | str | None = None


class AnswerRequest(ModelRequest, frozen=True, kw_only=True):
    """What chat and generation have in common. They stream unless they are told not to."""

    stream: bool | None = None
    format: str | dict[str, object] | None = None
    think: bool | str | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None

    @property
    def is_streamed(self) -> bool:
        """Does the client want line after line?"""
        return self.stream is not False


class OllamaChatRequest(AnswerRequest, frozen=True, kw_only=True):
    """`POST /api/chat`."""

    messages: tuple[Turn, ...] | None = None
    tools: tuple[dict[str, object], ...] | None = None


class GenerateRequest(AnswerRequest, frozen=True, kw_only=True):
    """`POST /api/generate`. `template` and `context` are read and mean nothing here."""

    prompt: str | None = None
    suffix: str | None = None
    system: str | None = None
    raw: bool | None = None
    images: tuple[str, ...] | None = None
    template: str | None = None
    context: tuple[int, ...] | None = None


class EmbedRequest(ModelRequest, frozen=True, kw_only=True):
    """`POST /api/embed`. `truncate` is read and means nothing here: too long a text is refused, not cut."""

    input: str | tuple[str, ...]
    dimensions: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    truncate: bool | None = None


class OllamaEmbeddingsRequest(ModelRequest, frozen=True, kw_only=True):
    """`POST /api/embeddings`, the older form for one text."""

    prompt: str = ""


class ShowRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`POST /api/show`. Older clients call the model `name`."""

    model: str = ""
    name: str = ""
