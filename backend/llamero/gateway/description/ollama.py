"""The routes in Ollama's dialect."""

from __future__ import annotations

from typing import Literal

import msgspec

from llamero.gateway.description.fields import Object
from llamero.gateway.description.openai import HELLO
from llamero.gateway.description.operations import NDJSON, Operation
from llamero.gateway.ollama.wire import (
    EmbedRequest,
    GenerateRequest,
    OllamaChatRequest,
    OllamaEmbeddingsRequest,
    ShowRequest,
)


class OllamaAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What every answer has; counts and nanoseconds are those of the whole answer, `logprobs` come where asked for."""

    model: str
    created_at: str
    done: bool
    done_reason: Literal["stop", "length", "load", "unload"]
    total_duration: int = 0
    load_duration: int = 0
    prompt_eval_count: int = 0
    prompt_eval_duration: int = 0
    eval_count: int = 0
    eval_duration: int = 0
    logprobs: list[Object] = []


class OllamaChat(OllamaAnswer, frozen=True, kw_only=True):
    """The next message of a conversation, with `content`, `thinking` and `tool_calls`."""

    message: Object


class OllamaGeneration(OllamaAnswer, frozen=True, kw_only=True):
    """The response to a prompt."""

    response: str
    thinking: str = ""


class OllamaEmbeddings(msgspec.Struct, frozen=True, kw_only=True):
    """A vector for each text."""

    model: str
    embeddings: list[list[float]]
    total_duration: int
    load_duration: int
    prompt_eval_count: int = 0


class OllamaEmbedding(msgspec.Struct, frozen=True, kw_only=True):
    """The vector of one text."""

    embedding: list[float]


class OllamaVersion(msgspec.Struct, frozen=True, kw_only=True):
    """The version of Ollama whose API this is."""

    version: str


class OllamaModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model. The digest changes with its file; size in bytes, context in tokens, 0 where it is not known."""

    name: str
    model: str
    size: int
    digest: str
    details: Object
    modified_at: str = ""
    expires_at: str = ""
    size_vram: int = 0
    context_length: int = 0


class OllamaModels(msgspec.Struct, frozen=True, kw_only=True):
    """Models."""

    models: list[OllamaModel]


class OllamaShown(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one model."""

    modelfile: str
    parameters: str
    template: str
    license: str
    details: Object
    model_info: Object
    capabilities: list[Literal["completion", "tools", "vision", "embedding"]]
    modified_at: str


_LINES = (NDJSON, "Answers of the same kind, one a line, as they come; the last one has `done`. This is the default.")
_KEEPING = (
    "Without anything to answer the model is loaded, or with a `keep_alive` of 0 unloaded once nobody needs it, which "
    "takes a key that may manage. The `keep_alive` of another key counts only where it is longer than the alias's."
)

OPERATIONS = (
    Operation(route="GET /", summary="The words by which clients find Ollama", content="text/plain"),
    Operation(route="GET /api/version", summary="The version of the API", response=OllamaVersion),
    Operation(route="GET /api/tags", summary="Every model", response=OllamaModels),
    Operation(route="GET /api/ps", summary="The models that are loaded", response=OllamaModels),
    Operation(
        route="POST /api/show",
        summary="Everything about one model",
        request=ShowRequest,
        response=OllamaShown,
        example={"model": "demo"},
    ),
    Operation(
        route="POST /api/chat",
        summary="Go on with a conversation",
        text=_KEEPING,
        request=OllamaChatRequest,
        response=OllamaChat,
        example={"model": "demo", "messages": HELLO, "stream": False},
        events=_LINES,
    ),
    Operation(
        route="POST /api/generate",
        summary="Respond to a prompt",
        text=f"{_KEEPING} `template` and `context` mean nothing here.",
        request=GenerateRequest,
        response=OllamaGeneration,
        example={"model": "demo", "prompt": "Hello", "stream": False},
        events=_LINES,
    ),
    Operation(
        route="POST /api/embed",
        summary="Embed texts",
        text="A text that is too long is refused and never cut, whatever `truncate` says.",
        request=EmbedRequest,
        response=OllamaEmbeddings,
        example={"model": "embed", "input": ["wool", "llama"]},
    ),
    Operation(
        route="POST /api/embeddings",
        summary="Embed one text",
        text="The older form.",
        request=OllamaEmbeddingsRequest,
        response=OllamaEmbedding,
        example={"model": "embed", "prompt": "wool"},
    ),
)
