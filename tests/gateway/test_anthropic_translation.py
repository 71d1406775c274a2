"""Requests and answers of the Messages API, translated without any network."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamero.gateway.anthropic.request import chat_body
from llamero.gateway.anthropic.response import MessageEvents, signature_of, whole_message
from llamero.gateway.anthropic.wire import MessagesRequest
from llamero.gateway.decoding import converted
from llamero.models.chat import ChatDelta, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llamero.models.errors import InvalidRequest, UpstreamFailed

PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
PIXEL_PART = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
WEATHER = {"name": "weather", "description": "Looks outside", "input_schema": {"type": "object"}}
TIME = {"name": "time", "input_schema": {"type": "object"}}
WEATHER_FUNCTION = {
    "type": "function",
    "function": {"name": "weather", "description": "Looks outside", "parameters": {"type": "object"}},
}
TIME_FUNCTION = {"type": "function", "function": {"name": "time", "description": "", "parameters": {"type": "object"}}}
USAGE = Usage(prompt_tokens=7, completion_tokens=3, total_tokens=10)


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "cache_control": {"type": "ephemeral"}}


def translated(messages: list[Any] | None = None, **fields: Any) -> dict[str, Any]:
    body = {"model": "m", "max_tokens": 9, "messages": messages or [{"role": "user", "content": "hi"}], **fields}
    return chat_body(body, converted(body, MessagesRequest))


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        pytest.param(
            {"role": "user", "content": [text("a"), text("b")]},
            [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
            id="several texts stay apart",
        ),
        pytest.param({"role": "user", "content": [text("a")]}, [{"role": "user", "content": "a"}], id="one text"),
        pytest.param({"role": "user", "content": []}, [], id="nothing said"),
        pytest.param(
            {"role": "user", "content": [text("see"), PIXEL]},
            [{"role": "user", "content": [{"type": "text", "text": "see"}, PIXEL_PART]}],
            id="image",
        ),
        pytest.param(
            {
                "role": "user",
                "content": [{"type": "image", "source": {"type": "url", "url": "data:image/gif;base64,A"}}],
            },
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/gif;base64,A"}}]}],
            id="image in its own address",
        ),
        pytest.param(
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "rain"},
                    {"type": "tool_result", "tool_use_id": "t2", "content": [text("x"), PIXEL, text("y")]},
                    {"type": "tool_result", "tool_use_id": "t3", "is_error": True},
                    text("and now?"),
                ],
            },
            [
                {"role": "tool", "tool_call_id": "t1", "content": "rain"},
                {"role": "tool", "tool_call_id": "t2", "content": "x\ny"},
                {"role": "user", "content": [PIXEL_PART]},
                {"role": "tool", "tool_call_id": "t3", "content": ""},
                {"role": "user", "content": "and now?"},
            ],
            id="results of tools",
        ),
        pytest.param(
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "xyz"},
                    text("Let me "),
                    text("look."),
                    {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Köln"}},
                ],
            },
            [
                {
                    "role": "assistant",
                    "content": "Let me look.",
                    "reasoning_content": "hm",
                    "tool_calls": [
                        {
                            "id": "t1",
                            "type": "function",
                            "function": {"name": "weather", "arguments": '{"city":"Köln"}'},
                        }
                    ],
                }
            ],
            id="assistant",
        ),
        pytest.param(
            {"role": "system", "content": [text("be brief")]},
            [{"role": "system", "content": "be brief"}],
            id="system in between",
        ),
    ],
)
def test_anthropic_turn_becomes_chat_messages(turn: dict[str, Any], expected: list[Any]) -> None:
    assert translated([turn])["messages"] == expected


@pytest.mark.parametrize("system", ["one\n\ntwo", [text("one"), text("two")]], ids=["text", "blocks"])
def test_anthropic_system_prompt_comes_first(system: Any) -> None:
    assert translated(system=system)["messages"][0] == {"role": "system", "content": "one\n\ntwo"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"temperature": 0.5, "top_p": 0.9, "top_k": 3}, {"temperature": 0.5, "top_p": 0.9, "top_k": 3}),
        ({"stop_sequences": ["x", "y"]}, {"stop": ["x", "y"], "verbose": True}),
        ({"stop_sequences": []}, {}),
        (
            {"min_p": 0.1, "seed": 2**70, "brand_new": {"a": [1]}},
            {"min_p": 0.1, "seed": 2**70, "brand_new": {"a": [1]}},
        ),
        ({"metadata": {"user_id": "u"}, "service_tier": "auto", "container": None, "n": 5, "stream": True}, {}),
        ({"thinking": {"type": "disabled"}}, {"chat_template_kwargs": {"enable_thinking": False}}),
        ({"thinking": {"type": "adaptive"}}, {"chat_template_kwargs": {"enable_thinking": True}}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000}},
            {"chat_template_kwargs": {"enable_thinking": True}, "thinking_budget_tokens": 2000},
        ),
        ({"output_config": {"effort": "xhigh"}}, {"reasoning_effort": "high"}),
        (
            {"output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
                }
            },
        ),
        ({"tools": [WEATHER]}, {"tools": [WEATHER_FUNCTION], "tool_choice": "auto"}),
        (
            {"tools": [WEATHER], "tool_choice": {"type": "any", "disable_parallel_tool_use": True}},
            {"tools": [WEATHER_FUNCTION], "tool_choice": "required", "parallel_tool_calls": False},
        ),
        ({"tools": [WEATHER], "tool_choice": {"type": "none"}}, {"tools": [WEATHER_FUNCTION], "tool_choice": "none"}),
        (
            {"tools": [WEATHER, TIME], "tool_choice": {"type": "tool", "name": "time"}},
            {"tools": [TIME_FUNCTION], "tool_choice": "required"},
        ),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_anthropic_fields_become_those_of_an_engine(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    always = {
        "model": "m",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert translated(**fields) == always | expected


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 2**31}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"messages": "hi"}, "messages"),
        ({"stream": "yes"}, "stream"),
        ({"stop_sequences": "x"}, "stop_sequences"),
        ({"messages": [{"role": "robot", "content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "hologram"}]}]}, "messages[0].content[0].type"),
        (
            {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "", "name": ""}]}]},
            "messages[0].content[0]",
        ),
        (
            {"messages": [{"role": "assistant", "content": [{"type": "tool_result", "tool_use_id": "t"}]}]},
            "messages[0].content[0]",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "http://x/"}}]}
                ]
            },
            "messages[0].content[0].source.url",
        ),
        ({"tools": [{"name": "web_search", "type": "web_search_20250305"}]}, "tools[0].input_schema"),
        ({"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "fly"}}, "tool_choice.name"),
        ({"thinking": {"type": "enabled", "budget_tokens": -1}}, "thinking.budget_tokens"),
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_anthropic_field_at_fault_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        translated(**fields)
    assert refused.value.param == param


def test_anthropic_missing_field_is_named() -> None:
    with pytest.raises(InvalidRequest) as refused:
        converted({"model": "m", "messages": []}, MessagesRequest)
    assert (refused.value.code, refused.value.param) == ("request_error-missing_param", "max_tokens")


ANSWERS: dict[str, tuple[list[ChatDelta], list[dict[str, Any]], str, str | None]] = {
    "nothing": ([Finished("stop", USAGE)], [], "end_turn", None),
    "text": (
        [TextDelta("a"), TextDelta("b"), Finished("stop", USAGE)],
        [{"type": "text", "text": "ab"}],
        "end_turn",
        None,
    ),
    "token limit": ([TextDelta("a"), Finished("length", USAGE)], [{"type": "text", "text": "a"}], "max_tokens", None),
    "stop sequence": (
        [TextDelta("a"), Finished("stop", USAGE, stop_sequence="END")],
        [{"type": "text", "text": "a"}],
        "stop_sequence",
        "END",
    ),
    "refusal": ([TextDelta("a"), Finished("content_filter", USAGE)], [{"type": "text", "text": "a"}], "refusal", None),
    "unknown reason": ([TextDelta("a"), Finished("eos", USAGE)], [{"type": "text", "text": "a"}], "end_turn", None),
    "thoughts": (
        [ReasoningDelta("h"), ReasoningDelta("m"), TextDelta("a"), Finished("stop", USAGE)],
        [{"type": "thinking", "thinking": "hm", "signature": signature_of("hm")}, {"type": "text", "text": "a"}],
        "end_turn",
        None,
    ),
    "thoughts between": (
        [ReasoningDelta("x"), TextDelta("a"), ReasoningDelta("y"), TextDelta("b"), Finished("stop", USAGE)],
        [
            {"type": "thinking", "thinking": "x", "signature": signature_of("x")},
            {"type": "text", "text": "a"},
            {"type": "thinking", "thinking": "y", "signature": signature_of("y")},
            {"type": "text", "text": "b"},
        ],
        "end_turn",
        None,
    ),
    "calls in pieces": (
        [
            TextDelta("a"),
            ToolCallDelta(0, "t0", "weather", ""),
            ToolCallDelta(0, None, None, '{"city": "Kö'),
            ToolCallDelta(0, None, None, 'ln"}'),
            ToolCallDelta(1, "t1", "time", ""),
            Finished("tool_calls", USAGE),
        ],
        [
            {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "t0", "name": "weather", "input": {"city": "Köln"}},
            {"type": "tool_use", "id": "t1", "name": "time", "input": {}},
        ],
        "tool_use",
        None,
    ),
    "call of an engine that says stop": (
        [ToolCallDelta(0, "t0", "time", "{}"), Finished("stop", USAGE)],
        [{"type": "tool_use", "id": "t0", "name": "time", "input": {}}],
        "tool_use",
        None,
    ),
}


def accumulated(events: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    """Put a message together as the SDK does, and hold the order of events against the documented one."""
    (first, started), (second, _), *middle, (delta, ended), (last, _) = events
    assert (first, second, delta, last) == ("message_start", "ping", "message_delta", "message_stop")
    message: dict[str, Any] = started["message"]
    assert message["usage"]["output_tokens"] == 0
    buffers: dict[int, str] = {}
    is_open: int | None = None
    for name, data in middle:
        assert data["type"] == name
        if name == "content_block_start":
            assert (is_open, data["index"]) == (None, len(message["content"]))
            is_open = data["index"]
            message["content"].append(data["content_block"])
        elif name == "content_block_stop":
            assert data["index"] == is_open
            is_open = None
        else:
            assert (name, data["index"]) == ("content_block_delta", is_open)
            block, change = message["content"][-1], data["delta"]
            match change["type"]:
                case "text_delta":
                    block["text"] += change["text"]
                case "thinking_delta":
                    block["thinking"] += change["thinking"]
                case "signature_delta":
                    block["signature"] = change["signature"]
                case "input_json_delta":
                    assert block["input"] == {}
                    buffers[data["index"]] = buffers.get(data["index"], "") + change["partial_json"]
    assert is_open is None
    for index, buffer in buffers.items():
        message["content"][index]["input"] = json.loads(buffer)
    return message | ended["delta"] | {"usage": ended["usage"]}


def events_of(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in raw.decode().removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        found.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


@pytest.mark.parametrize("name", ANSWERS)
def test_anthropic_stream_and_whole_answer_say_the_same(name: str) -> None:
    deltas, content, reason, sequence = ANSWERS[name]
    events = MessageEvents("msg_1", "m")
    raw = events.start() + b"".join(events.add(delta) for delta in deltas)
    expected = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": {
            "input_tokens": 7,
            "output_tokens": 3,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }
    assert accumulated(events_of(raw)) == expected
    whole: Any = whole_message("msg_1", "m", deltas)
    for block in whole["content"]:
        assert block.pop("citations", None) is None
    assert whole == expected


def test_anthropic_call_without_id_gets_one() -> None:
    deltas = [ToolCallDelta(0, None, "time", "{}"), ToolCallDelta(1, None, "time", "{}"), Finished("tool_calls")]
    first, second = whole_message("msg_1", "m", deltas)["content"]  # type: ignore[misc]
    assert first["id"] != second["id"]
    assert first["id"]


def test_anthropic_call_cut_by_the_token_limit_is_left_out_of_a_whole_answer() -> None:
    deltas = [TextDelta("a"), ToolCallDelta(0, "t", "time", '{"zone": "U'), Finished("length", USAGE)]
    whole = whole_message("msg_1", "m", deltas)
    assert [block["type"] for block in whole["content"]] == ["text"]  # type: ignore[attr-defined]
    assert whole["stop_reason"] == "max_tokens"


@pytest.mark.parametrize("arguments", ["{", "[]", "7", '{"a": 1} x'])
def test_anthropic_call_with_broken_arguments_fails(arguments: str) -> None:
    with pytest.raises(UpstreamFailed):
        whole_message("msg_1", "m", [ToolCallDelta(0, "t", "time", arguments), Finished("tool_calls")])


def test_anthropic_stream_calls_that_mingle_fail() -> None:
    events = MessageEvents("msg_1", "m")
    events.add(ToolCallDelta(0, "t0", "time", "{"))
    events.add(ToolCallDelta(1, "t1", "time", "{"))
    with pytest.raises(UpstreamFailed):
        events.add(ToolCallDelta(0, None, None, "}"))
