"""The routes that llama-server has of its own."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from llamero.gateway.description.fields import Object, Seed, Stream, Temperature, Texts, TopK, TopP, ranged
from llamero.gateway.description.openai import HELLO
from llamero.gateway.description.operations import SERVER_SENT_EVENTS, Operation, Parameter
from llamero.gateway.fields import LARGEST_C_INT

Token = Annotated[int, Meta(ge=0, le=LARGEST_C_INT)]
Model = Annotated[str, Meta(description="A name from the list of models; may be left out where there is only one.")]
MODEL = Parameter("model", "A name from the list of models; may be left out where there is only one.", "demo", "query")
LOAD = Parameter("autoload", "`true` loads the model first; otherwise it has to be loaded.", "true", "query")


class TokenizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A text, or text and tokens mixed."""

    content: str | list[str | Token]
    model: Model | None = None
    add_special: bool | None = None
    with_pieces: bool | None = None


class Tokenized(msgspec.Struct, frozen=True, kw_only=True):
    """Its tokens; with `with_pieces`, each with its text."""

    tokens: list[int | Object]


class DetokenizeRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens."""

    tokens: list[Token]
    model: Model | None = None


class Detokenized(msgspec.Struct, frozen=True, kw_only=True):
    """Their text."""

    content: str


class TemplateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation."""

    messages: list[Object]
    model: Model | None = None


class AppliedTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """The prompt that the model's template makes of it."""

    prompt: str


class PlainRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt, as llama-server takes it."""

    prompt: Texts
    model: Model | None = None
    stream: Stream | None = None
    n_predict: Annotated[int, ranged("n_predict", "The longest answer in tokens; -1 has no limit.")] | None = None
    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    seed: Seed | None = None
    grammar: str | None = None


class InfillRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before a gap and behind it."""

    input_prefix: str
    input_suffix: str
    input_extra: list[Object] | None = None
    prompt: str | None = None
    model: Model | None = None
    stream: Stream | None = None


class PlainAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What follows. The engine says more about how it came to it."""

    content: str = ""


class Anything(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine says; its fields are those of llama-server."""


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """A LoRA adapter."""

    id: Token
    scale: float = 0.0


class SlotRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The file to save to or restore from: a plain name below the engine's `--slot-save-path`."""

    filename: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] | None = None


TOKENIZE = Operation(
    route="POST /tokenize",
    summary="Cut a text into tokens",
    request=TokenizeRequest,
    response=Tokenized,
    example={"model": "demo", "content": "Llamas walk"},
)
DETOKENIZE = Operation(
    route="POST /detokenize",
    summary="Put tokens together",
    request=DetokenizeRequest,
    response=Detokenized,
    example={"model": "demo", "tokens": [1, 2, 3]},
)
COMPLETION = Operation(
    route="POST /completion",
    summary="Go on with a prompt",
    request=PlainRequest,
    response=PlainAnswer,
    example={"model": "demo", "prompt": "Once upon a time", "n_predict": 32},
    events=(SERVER_SENT_EVENTS, "The engine's own chunks."),
)

OPERATIONS = (
    COMPLETION,
    msgspec.structs.replace(COMPLETION, route="POST /completions", summary="The same by another name"),
    Operation(
        route="POST /infill",
        summary="Fill a gap",
        text="For models that were trained for it.",
        request=InfillRequest,
        response=PlainAnswer,
        example={"model": "demo", "input_prefix": "A llama ", "input_suffix": " the mountain."},
        events=(SERVER_SENT_EVENTS, "The engine's own chunks."),
    ),
    Operation(
        route="POST /apply-template",
        summary="Show the prompt that a conversation becomes",
        request=TemplateRequest,
        response=AppliedTemplate,
        example={"model": "demo", "messages": HELLO},
    ),
    TOKENIZE,
    msgspec.structs.replace(TOKENIZE, route="POST /v1/tokenize", summary="The same below `/v1`"),
    DETOKENIZE,
    msgspec.structs.replace(DETOKENIZE, route="POST /v1/detokenize", summary="The same below `/v1`"),
    Operation(route="GET /props", summary="How a model was loaded", response=Anything, parameters=(MODEL, LOAD)),
    Operation(
        route="POST /props",
        summary="Change what the engine lets be changed",
        text="Only where it was started with `--props`.",
        request=Anything,
        response=Anything,
        example={},
        parameters=(MODEL, LOAD),
    ),
    Operation(route="GET /slots", summary="What an engine's slots do", response=list[Object], parameters=(MODEL, LOAD)),
    Operation(
        route="POST /slots/{id}",
        summary="Save, restore or erase what a slot remembers",
        text="Only where the engine was started with `--slot-save-path`.",
        request=SlotRequest,
        response=Anything,
        example={"filename": "slot.bin"},
        parameters=(
            Parameter("id", "The slot's number.", "0"),
            Parameter("action", "`save`, `restore` or `erase`.", "save", "query"),
            MODEL,
            LOAD,
        ),
    ),
    Operation(route="GET /lora-adapters", summary="The LoRA adapters", response=list[Object], parameters=(MODEL, LOAD)),
    Operation(
        route="POST /lora-adapters",
        summary="Set the scales of LoRA adapters",
        request=list[Adapter],
        response=Anything,
        example=[{"id": 0, "scale": 0.5}],
        parameters=(MODEL, LOAD),
    ),
)
