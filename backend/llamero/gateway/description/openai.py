"""The routes in the OpenAI dialect."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from llamero.gateway.description.fields import (
    Count,
    MaxTokens,
    ModelName,
    Object,
    Seed,
    Stream,
    Temperature,
    Texts,
    TopP,
)
from llamero.gateway.description.operations import SERVER_SENT_EVENTS, Operation, Parameter

UNTRIED = "Passed through and tried with a stand-in for an engine only: no model for it has been tried yet."


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that may be asked for."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """Every name that may be asked for."""

    object: Literal["list"]
    data: list[ListedModel]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One turn of a conversation; what models take besides passes."""

    role: str
    content: str | list[Object] | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation to go on with. Fields that are not named here reach the engine as they are."""

    model: ModelName
    messages: list[ChatMessage]
    stream: Stream | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: MaxTokens | None = None
    n: Count | None = None
    seed: Seed | None = None
    stop: str | list[str] | None = None
    tools: list[Object] | None = None
    tool_choice: str | Object | None = None
    response_format: Object | None = None
    logprobs: bool | None = None


class TokenUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens read and generated."""

    prompt_tokens: int
    total_tokens: int
    completion_tokens: int = 0


class ChatChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One answer."""

    index: int
    message: Object
    finish_reason: str | None = None


class ChatCompletion(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a conversation."""

    id: str
    object: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: TokenUsage | None = None


class CompletionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A text to go on with."""

    model: ModelName
    prompt: Texts
    stream: Stream | None = None
    temperature: Temperature | None = None
    top_p: TopP | None = None
    max_tokens: MaxTokens | None = None
    seed: Seed | None = None
    stop: str | list[str] | None = None


class CompletionChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One text."""

    index: int
    text: str
    finish_reason: str | None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """How a text goes on."""

    id: str
    object: str
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: TokenUsage | None = None


class EmbeddingRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Texts to be placed."""

    model: ModelName
    input: Texts
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Count | None = None


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """A text's place: numbers, or their bytes in base64."""

    index: int
    embedding: list[float] | str
    object: str = "embedding"


class EmbeddingList(msgspec.Struct, frozen=True, kw_only=True):
    """The places, in the order of the texts."""

    object: str
    data: list[Embedding]
    model: str
    usage: TokenUsage | None = None


class RerankRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Documents to be put into the order in which they answer a query."""

    model: ModelName
    query: str
    documents: list[str]
    top_n: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None


class Rerank(msgspec.Struct, frozen=True, kw_only=True):
    """The order."""

    results: list[Object]


class TranscriptionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a form with an audio file."""

    model: ModelName
    file: Annotated[str, Meta(description="The file's content.")]


class Transcription(msgspec.Struct, frozen=True, kw_only=True):
    """What is said in a recording."""

    text: str


HELLO = [{"role": "user", "content": "Hello"}]
RERANK = Operation(
    route="POST /v1/rerank",
    summary="Order documents by a query",
    text=UNTRIED,
    request=RerankRequest,
    response=Rerank,
    example={"model": "demo", "query": "What is a llama?", "documents": ["A camelid.", "A boat."]},
)

OPERATIONS = (
    Operation(route="GET /v1/models", summary="List the models", response=ModelList),
    Operation(
        route="GET /v1/models/{id}",
        summary="One model",
        response=ListedModel,
        parameters=(Parameter("id", "The model's name, slashes and all.", "demo"),),
    ),
    Operation(
        route="POST /v1/chat/completions",
        summary="Go on with a conversation",
        text="Waits while the model loads. An answer goes on when its engine dies: the client sees a pause.",
        request=ChatRequest,
        response=ChatCompletion,
        example={"model": "demo", "messages": HELLO, "stream": True},
        events=(SERVER_SENT_EVENTS, "One chunk for each token or so, then `[DONE]`. Comments keep a waiting client."),
    ),
    Operation(
        route="POST /v1/completions",
        summary="Go on with a text",
        request=CompletionRequest,
        response=Completion,
        example={"model": "demo", "prompt": "Once upon a time", "max_tokens": 32},
        events=(SERVER_SENT_EVENTS, "One chunk for each token or so, then `[DONE]`."),
    ),
    Operation(
        route="POST /v1/embeddings",
        summary="Place texts by what they mean",
        text="Models that were not made for it answer with the code `model_does_not_embed`.",
        request=EmbeddingRequest,
        response=EmbeddingList,
        example={"model": "an-embedding-model", "input": ["A llama", "An alpaca"]},
    ),
    RERANK,
    msgspec.structs.replace(RERANK, route="POST /rerank", summary="The same, as llama.cpp calls it"),
    Operation(
        route="POST /v1/audio/transcriptions",
        summary="Write down what is said",
        text=UNTRIED,
        request=TranscriptionRequest,
        response=Transcription,
        form=True,
    ),
)
