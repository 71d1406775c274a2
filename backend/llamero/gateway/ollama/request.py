"""A request of Ollama's API as a request to an engine. Pure.

* Every answer is asked as a stream, as only a stream survives its engine.
* Ollama's messages do not say which call a tool answers: the first one of that name, or at all, that has no answer yet.
* `think` turns the thinking of a template on and off; a level is told to the template, too.
* `raw` and `suffix` go past the template, and so past the chat path: such an answer is not continued when its engine
  dies in the middle of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llamero.gateway.ollama import wire
from llamero.gateway.ollama.options import engine_parameters
from llamero.models.errors import InvalidRequest

# The first letters of an image in base64.
_IMAGE_TYPES = {"iVBORw0KGgo": "image/png", "/9j/": "image/jpeg", "R0lGOD": "image/gif", "UklGR": "image/webp"}
_AS_EVENTS: dict[str, object] = {"stream": True, "stream_options": {"include_usage": True}}
_NAMED = frozenset(wire.OllamaChatRequest.__struct_fields__) | frozenset(wire.GenerateRequest.__struct_fields__)
_WOULD_CHANGE_THE_FORM = frozenset({"functions", "n", "response_format", "stream_options"})
_LEFT_OUT = _NAMED | _WOULD_CHANGE_THE_FORM

_Fields = dict[str, object]


def chat_body(body: Mapping[str, object], request: wire.OllamaChatRequest) -> _Fields:
    """The chat request for `body`, which is `request` as it came. Raises InvalidRequest."""
    chat: _Fields = {**_common(body, request), "messages": chat_messages(request.messages or ())}
    if request.tools:
        chat["tools"] = list(request.tools)
    return chat | _chat_logprobs(request)


def generate_body(body: Mapping[str, object], request: wire.GenerateRequest) -> _Fields:
    """The chat request for a prompt of one turn. Raises InvalidRequest."""
    messages: list[_Fields] = [{"role": "user", "content": _content(request.prompt, request.images, "images")}]
    if request.system:
        messages.insert(0, {"role": "system", "content": request.system})
    return {**_common(body, request), "messages": messages, **_chat_logprobs(request)}


def raw_body(body: Mapping[str, object], request: wire.GenerateRequest) -> _Fields:
    """The completion request for a prompt that is to be taken as it is."""
    return {**_common(body, request), "prompt": request.prompt or "", **_counted_logprobs("logprobs", request)}


def infill_body(body: Mapping[str, object], request: wire.GenerateRequest) -> _Fields:
    """The infill request for what stands between a prompt and a suffix."""
    around: _Fields = {"input_prefix": request.prompt or "", "input_suffix": request.suffix or ""}
    return {**_common(body, request), **around, **_counted_logprobs("n_probs", request)}


def chat_messages(messages: Sequence[wire.Turn]) -> list[_Fields]:
    """Every turn. Raises InvalidRequest for an image that is none."""
    translated: list[_Fields] = []
    unanswered: list[tuple[str, str]] = []  # the id and the name of each call
    for number, message in enumerate(messages):
        content = _content(message.content, message.images, f"messages[{number}].images")
        fields: _Fields = {"role": message.role, "content": content}
        if message.thinking:
            fields["reasoning_content"] = message.thinking
        if message.tool_calls:
            calls = [(call, call.id or f"call_{number}_{place}") for place, call in enumerate(message.tool_calls)]
            fields["tool_calls"] = [_call(call.function, identifier) for call, identifier in calls]
            unanswered += [(identifier, call.function.name) for call, identifier in calls]
        if message.role == "tool":
            fields["tool_call_id"] = message.tool_call_id or _take_answered(unanswered, message.tool_name)
        translated.append(fields)
    return translated


def _common(body: Mapping[str, object], request: wire.AnswerRequest) -> _Fields:
    fields = {name: value for name, value in body.items() if name not in _LEFT_OUT}
    fields |= {"model": request.model, **engine_parameters(request.options), **_AS_EVENTS}
    if request.format:
        fields["response_format"] = _response_format(request.format)
    if request.think is not None:
        fields["chat_template_kwargs"] = {"enable_thinking": bool(request.think)}
        if isinstance(request.think, str):
            fields["reasoning_effort"] = request.think
    return fields


def _chat_logprobs(request: wire.AnswerRequest) -> _Fields:
    return {"logprobs": True, "top_logprobs": request.top_logprobs or 0} if request.logprobs else {}


def _counted_logprobs(name: str, request: wire.AnswerRequest) -> _Fields:
    """Where there is no chat, one number says whether and how many."""
    return {name: max(1, request.top_logprobs or 0)} if request.logprobs else {}


def _response_format(wanted: str | dict[str, object]) -> _Fields:
    if isinstance(wanted, dict):
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": wanted, "strict": True}}
    if wanted != "json":
        raise InvalidRequest("request_error-wrong_type", param="format", expected='"json" or a JSON schema')
    return {"type": "json_object"}


def _content(text: str | None, images: Sequence[str] | None, place: str) -> str | list[_Fields]:
    if not images:
        return text or ""
    return [{"type": "text", "text": text or ""}, *[_image_part(image, place) for image in images]]


def _image_part(image: str, place: str) -> _Fields:
    """An image in base64. An address is refused: nothing is fetched for a request."""
    kind = next((kind for start, kind in _IMAGE_TYPES.items() if image.startswith(start)), None)
    if kind is None:
        raise InvalidRequest("request_error-wrong_type", param=place, expected="a PNG, JPEG, GIF or WebP in base64")
    return {"type": "image_url", "image_url": {"url": f"data:{kind};base64,{image}"}}


def _call(function: wire.CalledFunction, identifier: str) -> _Fields:
    arguments = msgspec.json.encode(function.arguments).decode()
    return {"id": identifier, "type": "function", "function": {"name": function.name, "arguments": arguments}}


def _take_answered(unanswered: list[tuple[str, str]], name: str | None) -> str:
    for place, (identifier, called) in enumerate(unanswered):
        if name in (None, "", called):
            del unanswered[place]
            return identifier
    return ""
