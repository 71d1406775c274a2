"""A request of the Responses API as the request for a chat that it comes to, and the response that it begins.

What the chat API has under another name is translated; what neither Llamero nor a model can do (web search, files,
stored prompts) is refused by name; what is only to be repeated in the response is; and any other field goes to the
engine untouched, as in the chat API.
"""

from __future__ import annotations

import msgspec

from llamero.gateway.fields import LARGEST_C_INT, check_model, check_numbers
from llamero.gateway.openai.responses.input_items import NewId, kept_items
from llamero.gateway.openai.responses.nested_fields import Fields
from llamero.gateway.openai.responses.tools import chat_tools
from llamero.models.responses import Item, Response, ResponseStatus

LOGPROBS = "message.output_text.logprobs"
_REFUSED = ("conversation", "prompt", "context_management", "moderation", "messages", "response_format", "n")
# Read here, and meaningless to a chat. Everything else passes.
_OURS = frozenset(
    {"background", "background_options", "include", "input", "instructions", "max_output_tokens", "max_tool_calls"}
    | {"metadata", "previous_response_id", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}
    | {"reasoning", "safety_identifier", "service_tier", "store", "stream", "stream_options", "text", "tool_choice"}
    | {"tools", "truncation", "user", *_REFUSED}
)


class ResponseRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a client asks for. `chat` is the body for the engine, still without its messages; `input` has ids."""

    response: Response
    input: list[Item]
    chat: dict[str, object]
    stream: bool


def read_request(body: dict[str, object], new_id: NewId, now: float) -> ResponseRequest:
    """Read a request. Raises InvalidRequest naming the first field at fault."""
    fields = Fields(body)
    model = check_model(body)
    for name in _REFUSED:
        if body.get(name):
            raise fields.unsupported(name)
    items = kept_items(fields, new_id)
    response = _begun(fields, new_id("resp"), int(now), model)
    if response.background and not response.store:
        raise fields.unsupported("background", "true without store")
    chat = _chat_body(fields, body)
    check_numbers(chat)
    return ResponseRequest(response=response, input=items, chat=chat, stream=fields.optional("stream", bool) or False)


def _begun(fields: Fields, id: str, now: int, model: str) -> Response:
    """The response before anything has come of it."""
    given = fields.values
    store = fields.optional("store", bool)
    parallel = fields.optional("parallel_tool_calls", bool)
    background = fields.optional("background", bool) or False
    return Response(
        id=id,
        created_at=now,
        status=ResponseStatus.QUEUED if background else ResponseStatus.IN_PROGRESS,
        background=background,
        instructions=fields.optional("instructions", str),
        max_output_tokens=fields.number("max_output_tokens", 1, LARGEST_C_INT),
        max_tool_calls=fields.number("max_tool_calls", 1, LARGEST_C_INT),
        metadata=_metadata(fields),
        model=model,
        parallel_tool_calls=parallel is not False,
        previous_response_id=fields.optional("previous_response_id", str),
        prompt_cache_key=fields.optional("prompt_cache_key", str),
        reasoning={"effort": None, "summary": None} | dict(fields.object("reasoning").values),
        safety_identifier=fields.optional("safety_identifier", str),
        service_tier=fields.optional("service_tier", str),
        store=store is not False,
        temperature=_number(given.get("temperature")),
        text={"format": {"type": "text"}} | dict(fields.object("text").values),
        tool_choice=_tool_choice(fields),
        tools=tuple([tool.item() for tool in fields.objects("tools")]),
        top_logprobs=fields.number("top_logprobs", 0, 20),
        top_p=_number(given.get("top_p")),
        truncation=fields.one_of("truncation", "auto", "disabled") or "disabled",
        user=fields.optional("user", str),
    )


def _chat_body(fields: Fields, body: dict[str, object]) -> dict[str, object]:
    chat = {name: value for name, value in body.items() if name not in _OURS and value is not None}
    chat |= {"stream": True, "stream_options": {"include_usage": True}}
    if body.get("max_output_tokens") is not None:
        chat["max_completion_tokens"] = body["max_output_tokens"]
    if effort := fields.object("reasoning").optional("effort", str):
        chat["reasoning_effort"] = effort
    text = fields.object("text")
    if response_format := _response_format(text.object("format")):
        chat["response_format"] = response_format
    if verbosity := text.optional("verbosity", str):
        chat["verbosity"] = verbosity
    if LOGPROBS in (fields.optional("include", list) or ()) or body.get("top_logprobs"):
        chat["logprobs"] = True
    return chat | chat_tools(fields)


def _response_format(given: Fields) -> Item | None:
    match given.optional("type", str):
        case None | "text":
            return None
        case "json_object":
            return {"type": "json_object"}
        case "json_schema":
            given.required("name", str)
            given.required("schema", dict)
            schema = {name: value for name, value in given.values.items() if name != "type" and value is not None}
            return {"type": "json_schema", "json_schema": schema}
        case kind:
            raise given.unsupported("type", kind)


def _metadata(fields: Fields) -> dict[str, str]:
    metadata = fields.object("metadata")
    return {name: metadata.required(name, str) for name in metadata.values}


def _tool_choice(fields: Fields) -> str | Item:
    given = fields.values.get("tool_choice")
    return given if isinstance(given, str | dict) else "auto"


def _number(value: object) -> float | None:
    """A number to be repeated; `check_chat_request` refuses what is none."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
