"""A request of the Messages API as a chat request. Pure.

* A user's turn becomes one message for its text and images, and one of the role `tool` for each result, in their order.
* An engine knows no choice of one tool by name; so it gets that tool alone, and must call.
* Fields that both APIs share (`temperature`, `top_p`, `top_k`), and those that only an engine knows, pass untouched.
  Left out is what means something at Anthropic only, and what would change the form of the answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from llamero.gateway.anthropic import wire
from llamero.models.errors import InvalidRequest

_TRANSLATED = frozenset(name for name in wire.MessagesRequest.__struct_fields__ if name not in ("model", "max_tokens"))
_MEANT_FOR_ANTHROPIC = frozenset(
    {"anthropic_beta", "betas", "cache_control", "container", "context_management", "fallbacks", "inference_geo"}
    | {"mcp_servers", "metadata", "output_format", "service_tier", "speed", "user_profile_id", "workspace_id"}
)
_WOULD_CHANGE_THE_FORM = frozenset({"functions", "logprobs", "n", "response_format", "stream_options"})
_LEFT_OUT = _TRANSLATED | _MEANT_FOR_ANTHROPIC | _WOULD_CHANGE_THE_FORM
# Only then does llama-server say which stop sequence ended an answer: in its last chunk (`__verbose.stopping_word`).
TELLS_STOP_SEQUENCE = {"verbose": True}
_EFFORTS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}

_Fields = dict[str, object]


def chat_body(body: Mapping[str, object], request: wire.MessagesRequest) -> _Fields:
    """The chat request for `body`, which is `request` as it came. It is always a stream, as only streams are healed.

    Raises InvalidRequest for what no engine here can do.
    """
    passed = {name: value for name, value in body.items() if name not in _LEFT_OUT}
    chat: _Fields = {**passed, **prompt_fields(request), "stream": True, "stream_options": {"include_usage": True}}
    if request.stop_sequences:
        chat |= {"stop": list(request.stop_sequences), **TELLS_STOP_SEQUENCE}
    return chat


def prompt_fields(request: wire.CountRequest) -> _Fields:
    """The part of a chat request of which the prompt is made. Raises InvalidRequest."""
    fields: _Fields = {"messages": chat_messages(request)}
    if request.tools:
        fields |= _tool_fields(request.tools, request.tool_choice)
    if request.thinking is not None:
        fields["chat_template_kwargs"] = {"enable_thinking": request.thinking.type != "disabled"}
        if request.thinking.budget_tokens is not None:
            fields["thinking_budget_tokens"] = request.thinking.budget_tokens
    output = request.output_config or wire.OutputConfig()
    if output.effort is not None:
        fields["reasoning_effort"] = _EFFORTS[output.effort]
    if output.format is not None:
        schema = {"name": "answer", "schema": output.format.schema, "strict": True}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    return fields


def chat_messages(request: wire.CountRequest) -> list[_Fields]:
    """The system prompt and every turn, in their order. Raises InvalidRequest."""
    messages: list[_Fields] = []
    if request.system:
        messages.append({"role": "system", "content": _joined(request.system)})
    for number, message in enumerate(request.messages):
        if isinstance(message.content, str):
            messages.append({"role": message.role, "content": message.content})
        elif message.role == "assistant":
            messages.append(_assistant_turn(message.content, f"messages[{number}].content"))
        else:
            messages += _other_turn(message.role, message.content, f"messages[{number}].content")
    return messages


def _other_turn(role: str, blocks: Sequence[wire.Block], place: str) -> Iterator[_Fields]:
    """What a user or the system says; results of tools are messages of their own."""
    parts: list[_Fields] = []
    for number, block in enumerate(blocks):
        match block:
            case wire.TextBlock():
                parts.append(_text_part(block))
            case wire.ImageBlock():
                parts.append(_image_part(block, f"{place}[{number}]"))
            case wire.ToolResultBlock():
                if parts:
                    yield _message(role, parts)
                    parts = []
                text, images = _tool_result(block, f"{place}[{number}]")
                yield {"role": "tool", "tool_call_id": block.tool_use_id, "content": text}
                parts += images
            case _:
                raise _misplaced(block, role, f"{place}[{number}]")
    if parts:
        yield _message(role, parts)


def _assistant_turn(blocks: Sequence[wire.Block], place: str) -> _Fields:
    texts: list[str] = []
    thoughts: list[str] = []
    calls: list[_Fields] = []
    for number, block in enumerate(blocks):
        match block:
            case wire.TextBlock():
                texts.append(block.text)
            case wire.ThinkingBlock():
                thoughts.append(block.thinking)
            case wire.RedactedThinkingBlock():
                pass  # sealed by another server
            case wire.ToolUseBlock():
                function = {"name": block.name, "arguments": msgspec.json.encode(block.input).decode()}
                calls.append({"id": block.id, "type": "function", "function": function})
            case _:
                raise _misplaced(block, "assistant", f"{place}[{number}]")
    message: _Fields = {"role": "assistant", "content": "".join(texts)}
    if thoughts:
        message["reasoning_content"] = "".join(thoughts)
    if calls:
        message["tool_calls"] = calls
    return message


def _message(role: str, parts: list[_Fields]) -> _Fields:
    """A message of one text is a plain one: some templates take nothing else."""
    only_text = len(parts) == 1 and parts[0]["type"] == "text"
    return {"role": role, "content": parts[0]["text"] if only_text else parts}


def _text_part(block: wire.TextBlock) -> _Fields:
    return {"type": "text", "text": block.text}


def _image_part(block: wire.ImageBlock, place: str) -> _Fields:
    """Images elsewhere are not fetched: a request must not make this machine call another one."""
    source = block.source
    if isinstance(source, wire.UrlSource):
        if not source.url.startswith("data:image/"):
            raise InvalidRequest("request_error-not_fetched", param=f"{place}.source.url")
        return {"type": "image_url", "image_url": {"url": source.url}}
    return {"type": "image_url", "image_url": {"url": f"data:{source.media_type};base64,{source.data}"}}


def _tool_result(block: wire.ToolResultBlock, place: str) -> tuple[str, list[_Fields]]:
    """The text of a result, and its images, which only a user's message can carry."""
    if isinstance(block.content, str):
        return block.content, []
    texts = [part.text for part in block.content if isinstance(part, wire.TextBlock)]
    images = [
        _image_part(part, f"{place}.content[{number}]")
        for number, part in enumerate(block.content)
        if isinstance(part, wire.ImageBlock)
    ]
    return "\n".join(texts), images


def _tool_fields(tools: Sequence[wire.Tool], choice: wire.ToolChoice | None) -> _Fields:
    choice = choice or wire.ToolChoice("auto")
    if choice.type == "tool":
        tools = [tool for tool in tools if tool.name == choice.name]
        if not tools:
            raise InvalidRequest(param="tool_choice.name", reason=f"no tool is named {choice.name[:100]!r}")
    fields: _Fields = {
        "tools": [
            {
                "type": "function",
                "function": {"name": tool.name, "description": tool.description, "parameters": tool.input_schema},
            }
            for tool in tools
        ],
        "tool_choice": {"any": "required", "tool": "required"}.get(choice.type, choice.type),
    }
    if choice.disable_parallel_tool_use:
        fields["parallel_tool_calls"] = False
    return fields


def _joined(system: str | Sequence[wire.TextBlock]) -> str:
    return system if isinstance(system, str) else "\n\n".join(block.text for block in system)


def _misplaced(block: wire.Block, role: str, place: str) -> InvalidRequest:
    kind = block.__struct_config__.tag
    return InvalidRequest(param=place, reason=f"a message of the role {role} cannot have a block of the type {kind}")
