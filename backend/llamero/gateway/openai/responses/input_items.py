"""Turns the items of a conversation into the messages of a chat, and gives those that clients send a form to be kept.

What the model said in one turn is several items and one message: its reasoning, its text and its calls. Instructions
and the system messages that open a conversation become one, because many templates take none but the first message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from llamero.gateway.openai.responses.nested_fields import Fields
from llamero.models.errors import InvalidRequest
from llamero.models.responses import REFERENCE, Item

Message = dict[str, object]
NewId = Callable[[str], str]

_ROLES = ("user", "assistant", "system", "developer")
_PREFIXES = {"message": "msg", "function_call": "fc", "function_call_output": "fco", "reasoning": "rs"}


def kept_items(request: Fields, new_id: NewId) -> list[Item]:
    """The input of a request as items with an id and a type. Raises InvalidRequest for what no model here takes."""
    given = request.values.get("input")
    if isinstance(given, str):
        said = Fields({"role": "user", "content": given}, "input")
        return [_kept(said, new_id)]
    if given is not None and not isinstance(given, list):
        raise request.wrong_type("input", "string or list")
    if not given:
        raise InvalidRequest("request_error-missing_param", param="input")
    return [_kept(item, new_id) for item in request.objects("input")]


def chat_messages(items: Iterable[Item], instructions: str | None) -> list[Message]:
    """The messages of a chat that say what these items say."""
    messages: list[Message] = [{"role": "system", "content": instructions}] if instructions else []
    messages.extend(_Conversation().messages(items))
    return _with_one_opening(messages)


def _kept(item: Fields, new_id: NewId) -> Item:
    kind = item.optional("type", str) or ("message" if "role" in item.values else REFERENCE)
    match kind:
        case "message":
            item.required("role", str)
            role = item.one_of("role", *_ROLES) or ""
            kept = {"id": item.values.get("id"), "role": role, "content": _content(item, "content", role)}
        case "function_call":
            for field in ("call_id", "name", "arguments"):
                item.required(field, str)
            kept = item.item()
        case "function_call_output":
            item.required("call_id", str)
            kept = item.item()
            if not isinstance(item.values.get("output"), str):
                kept["output"] = _content(item, "output", "tool")
        case "reasoning":
            for field in ("summary", "content"):
                _texts_of(item, field)
            kept = item.item()
        case "item_reference":
            return {"type": REFERENCE, "id": item.required("id", str)}
        case _:
            raise item.unsupported("type", kind)
    if not item.optional("id", str):
        kept["id"] = new_id(_PREFIXES[kind])
    return {"status": "completed", **kept, "type": kind}


def _content(item: Fields, field: str, role: str) -> list[Item]:
    """The parts of a message, or of what a function returned."""
    value = item.values.get(field)
    written = "output_text" if role == "assistant" else "input_text"
    if isinstance(value, str):
        return [{"type": written, "text": value}]
    if value is None:
        raise InvalidRequest("request_error-missing_param", param=item.name(field))
    return [_checked_part(part) for part in item.objects(field)]


def _checked_part(part: Fields) -> Item:
    match part.required("type", str):
        case "input_text" | "output_text" | "text":
            part.required("text", str)
        case "refusal":
            part.required("refusal", str)
        case "input_image":
            if part.values.get("file_id") is not None:
                raise part.unsupported("file_id")
            part.required("image_url", str)
        case "input_audio":
            part.required("input_audio", dict)
        case kind:
            raise part.unsupported("type", kind)
    return part.item()


class _Conversation:
    """Collects what the model said in one turn until somebody else speaks."""

    def __init__(self) -> None:
        self._said: Message = {}
        self._calls: list[Message] = []

    def messages(self, items: Iterable[Item]) -> Iterator[Message]:
        for values in items:
            item = Fields(values)
            match values.get("type"):
                case "reasoning":
                    if self._said.get("content") is not None or self._calls:
                        yield from self._turn()
                    thought = "".join(_texts_of(item, "content")) or "".join(_texts_of(item, "summary"))
                    if thought:
                        self._said["reasoning_content"] = thought
                case "function_call":
                    self._calls.append(_call(item))
                case "message" if values.get("role") == "assistant":
                    if self._said.get("content") is not None or self._calls:
                        yield from self._turn()
                    self._said["content"] = "".join(_texts_of(item, "content"))
                case _:
                    yield from self._turn()
                    yield _other(item)
        yield from self._turn()

    def _turn(self) -> Iterator[Message]:
        said, calls = self._said, self._calls
        self._said, self._calls = {}, []
        if calls:
            yield {"role": "assistant", "content": None, **said, "tool_calls": calls}
        elif said.get("content") is not None:
            yield {"role": "assistant", **said}


def _call(item: Fields) -> Message:
    function = {"name": item.values.get("name"), "arguments": item.values.get("arguments")}
    return {"id": item.values.get("call_id"), "type": "function", "function": function}


def _other(item: Fields) -> Message:
    """A message of the user or the system, or what a function returned."""
    if item.values.get("type") == "function_call_output":
        output = item.values.get("output")
        content = output if isinstance(output, str) else _chat_content(item, "output")
        return {"role": "tool", "tool_call_id": item.values.get("call_id"), "content": content}
    role = item.values.get("role")
    return {"role": "system" if role == "developer" else role, "content": _chat_content(item, "content")}


def _chat_content(item: Fields, field: str) -> str | list[Message]:
    """A plain text where it is nothing else: not every template takes a list."""
    parts = [_chat_part(part.values) for part in item.objects(field)]
    if all(part["type"] == "text" for part in parts):
        return "\n".join(str(part["text"]) for part in parts)
    return parts


def _chat_part(part: object) -> Message:
    match part:
        case {"type": "input_image", "image_url": url, **more}:
            detail = {"detail": more["detail"]} if more.get("detail") else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case {"type": "input_audio", "input_audio": audio}:
            return {"type": "input_audio", "input_audio": audio}
        case {"refusal": text}:
            return {"type": "text", "text": text}
        case {"text": text}:
            return {"type": "text", "text": text}
    return {"type": "text", "text": ""}


def _texts_of(item: Fields, field: str) -> list[str]:
    return [str(part.values.get("text") or part.values.get("refusal") or "") for part in item.objects(field)]


def _with_one_opening(messages: list[Message]) -> list[Message]:
    opening: list[str] = []
    for message in messages:
        content = message["content"]
        if message["role"] != "system" or not isinstance(content, str):
            break
        opening.append(content)
    if len(opening) < 2:
        return messages
    return [{"role": "system", "content": "\n\n".join(opening)}, *messages[len(opening) :]]
