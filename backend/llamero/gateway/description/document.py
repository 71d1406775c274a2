"""The OpenAPI document, built from the operations. Source of the format: https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llamero import __version__
from llamero.gateway.description import anthropic, llama_cpp, ollama, openai, own, responses
from llamero.gateway.description.fields import AnthropicError, OllamaError, OpenAiError
from llamero.gateway.description.operations import Operation
from llamero.gateway.dialects import Dialect, dialect_of
from llamero.gateway.rules import RULES

OPERATIONS: tuple[Operation, ...] = (
    *openai.OPERATIONS,
    *responses.OPERATIONS,
    *anthropic.OPERATIONS,
    *ollama.OPERATIONS,
    *llama_cpp.OPERATIONS,
    *own.OPERATIONS,
)
DIALECTS: Mapping[Dialect, tuple[str, str]] = {
    Dialect.OPENAI: ("OpenAI", "For every program that knows the OpenAI API: give it the address that ends in `/v1`."),
    Dialect.ANTHROPIC: ("Anthropic", "For programs that know Anthropic's Messages API: give them the bare address."),
    Dialect.OLLAMA: ("Ollama", "For programs that look for Ollama; on its own port with `--ollama-port 11434`."),
    Dialect.LLAMA_CPP: ("llama.cpp", "What llama-server offers besides, for the model named in `model`."),
    Dialect.OWN: ("Llamero", "About Llamero itself."),
}
ERRORS: Mapping[Dialect, Any] = {Dialect.ANTHROPIC: AnthropicError, Dialect.OLLAMA: OllamaError}
REFERENCE = "#/components/schemas/{name}"
ABOUT = (
    "Models on this machine, and those elsewhere that you have named, in the dialects of OpenAI, Anthropic and Ollama. "
    "Fields that are not described are passed on to the engine, not dropped."
)


def build_document() -> dict[str, object]:
    """Return the whole document. Some 10 ms, so it is built when first asked for."""
    kinds = _kinds()
    schemas, components = msgspec.json.schema_components(kinds, schema_hook=_anything, ref_template=REFERENCE)
    schema_of = dict(zip(kinds, schemas, strict=True))
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Llamero", "version": __version__, "description": ABOUT},
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": text} for name, text in DIALECTS.values()],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _anything(kind: type) -> dict[str, object]:
    """The schema of `object`: whatever JSON may be."""
    if kind is not object:
        raise NotImplementedError(f"no schema for {kind}")
    return {"description": "Whatever JSON may be."}  # an empty schema would do, but counts as none


def _kinds() -> Sequence[Any]:
    kinds: list[Any] = [OpenAiError, *ERRORS.values()]
    for operation in OPERATIONS:
        kinds += [kind for kind in (operation.request, operation.response) if kind is not None]
    return list(dict.fromkeys(kinds))


def _described(operation: Operation, schema_of: Mapping[Any, object]) -> dict[str, object]:
    dialect = dialect_of(operation.path)
    rule = RULES[operation.route]
    described: dict[str, object] = {
        "operationId": _identifier(operation),
        "tags": [DIALECTS[dialect][0]],
        "summary": operation.summary,
        "responses": {
            "200": {"description": _answer(operation), "content": _contents(operation, schema_of)},
            "default": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": schema_of[ERRORS.get(dialect, OpenAiError)]}},
            },
        },
        # An empty requirement: on this machine no key is needed unless the settings say so.
        "security": [] if rule.scope is None else [{"bearer": []}, {"header": []}, {}],
    }
    if rule.scope is not None:
        described["x-llamero-scope"] = rule.scope.value
    if operation.text:
        described["description"] = operation.text
    if operation.parameters:
        described["parameters"] = [
            {
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.place == "path",
                "description": parameter.text,
                "example": parameter.example,
                "schema": {"type": "string"},
            }
            for parameter in operation.parameters
        ]
    if operation.request is not None:
        body: dict[str, object] = {"schema": schema_of[operation.request]}
        if operation.example is not None:
            body["example"] = operation.example
        kind = "multipart/form-data" if operation.form else "application/json"
        described["requestBody"] = {"required": True, "content": {kind: body}}
    return described


def _contents(operation: Operation, schema_of: Mapping[Any, object]) -> dict[str, object]:
    """What an answer may be: JSON or a text, and a stream, for whose parts this format has no schema."""
    schema = {"type": "string"} if operation.response is None else schema_of[operation.response]
    contents: dict[str, object] = {operation.content: {"schema": schema}}
    if operation.events is not None:
        contents[operation.events[0]] = {}
    return contents


def _answer(operation: Operation) -> str:
    return operation.summary if operation.events is None else f"{operation.summary}. Streamed: {operation.events[1]}"


def _identifier(operation: Operation) -> str:
    """A name for generated clients: `post_v1_chat_completions`."""
    letters = "".join(letter if letter.isalnum() else "_" for letter in operation.path)
    return f"{operation.method.lower()}{letters}".strip("_")
