"""What a request of the Responses API comes to as a chat, and what is refused by name."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from llamero.gateway.openai.responses.input_items import chat_messages
from llamero.gateway.openai.responses.request import ResponseRequest, read_request
from llamero.models.errors import InvalidRequest

NOW = 1_800_000_000.0
TOOL = {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True}
OTHER = {"type": "function", "name": "hear"}
CHAT_TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": {"type": "object"}, "strict": True},
}
CHAT_OTHER = {"type": "function", "function": {"name": "hear"}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}}


def numbered() -> Any:
    numbers: Iterator[int] = count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


def read(**body: Any) -> ResponseRequest:
    return read_request({"model": "m", "input": "hi", **body}, numbered(), NOW)


def messages(items: Any, instructions: str | None = None) -> list[dict[str, object]]:
    return chat_messages(read(input=items).input, instructions)


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


def user_with(part: dict[str, object]) -> dict[str, object]:
    return {"role": "user", "content": [part]}


def call(id: str, name: str = "look", arguments: str = "{}") -> dict[str, object]:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}


def chat_call(id: str, name: str = "look", arguments: str = "{}") -> dict[str, object]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def output(id: str, text: object) -> dict[str, object]:
    return {"type": "function_call_output", "call_id": id, "output": text}


TEXT = {"type": "input_text", "text": "t"}
SECRET = {"type": "reasoning", "summary": [], "encrypted_content": "x"}
THOUGHT = {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}
SUMMARY = {"type": "reasoning", "id": "rs_9", "summary": [{"type": "summary_text", "text": "short"}]}
SAID = {"role": "assistant", "content": [{"type": "output_text", "text": "yes", "annotations": []}]}
PICTURE = {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"}
SOUND = {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}


# For tests that mix them with anything else.
ITEMS = [SAID, THOUGHT, SUMMARY, SECRET, call("c1"), output("c1", "1"), user_with(TEXT), user_with(PICTURE), user("x")]
CHOICES: list[Any] = [{"type": "function", "name": "look"}, {"type": "allowed_tools", "tools": [TOOL]}]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("hi", [user("hi")]),
        ([{"role": "user", "content": "hi"}], [user("hi")]),
        ([{"type": "message", "role": "user", "content": "hi"}], [user("hi")]),
        ([{"role": "user", "content": [{"type": "input_text", "text": t} for t in "ab"]}], [user("a\nb")]),
        ([{"role": "developer", "content": "be"}, user("hi")], [{"role": "system", "content": "be"}, user("hi")]),
        ([user("hi"), SAID, user("so")], [user("hi"), {"role": "assistant", "content": "yes"}, user("so")]),
        ([{"role": "assistant", "content": "yes"}], [{"role": "assistant", "content": "yes"}]),
        (
            [{"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
            [{"role": "assistant", "content": "no"}],
        ),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": "what"}, PICTURE, SOUND]}],
            [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "what"},
                        {"type": "image_url", "image_url": {"url": PICTURE["image_url"], "detail": "low"}},
                        SOUND,
                    ],
                }
            ],
        ),
        # Everything of one turn is one message; what follows another text is another one.
        (
            [user("hi"), THOUGHT, SAID, call("c1"), call("c2", "hear"), output("c1", "1"), output("c2", "2")],
            [
                user("hi"),
                {
                    "role": "assistant",
                    "reasoning_content": "hm",
                    "content": "yes",
                    "tool_calls": [chat_call("c1"), chat_call("c2", "hear")],
                },
                {"role": "tool", "tool_call_id": "c1", "content": "1"},
                {"role": "tool", "tool_call_id": "c2", "content": "2"},
            ],
        ),
        ([call("c1")], [{"role": "assistant", "content": None, "tool_calls": [chat_call("c1")]}]),
        ([SAID, SAID], [{"role": "assistant", "content": "yes"}] * 2),
        ([SUMMARY, SAID], [{"role": "assistant", "content": "yes", "reasoning_content": "short"}]),
        ([SECRET, SAID], [{"role": "assistant", "content": "yes"}]),
        ([THOUGHT, user("never mind")], [user("never mind")]),
        (
            [output("c1", [{"type": "input_text", "text": "t"}, PICTURE])],
            [
                {
                    "role": "tool",
                    "tool_call_id": "c1",
                    "content": [
                        {"type": "text", "text": "t"},
                        {"type": "image_url", "image_url": {"url": PICTURE["image_url"], "detail": "low"}},
                    ],
                }
            ],
        ),
        ([output("c1", [TEXT])], [{"role": "tool", "tool_call_id": "c1", "content": "t"}]),
    ],
)  # fmt: skip
def test_items_become_the_messages_that_say_the_same(items: Any, expected: list[dict[str, object]]) -> None:
    assert messages(items) == expected


def test_instructions_and_opening_system_messages_are_one_because_templates_take_one() -> None:
    items = [{"role": "developer", "content": "b"}, {"role": "system", "content": "c"}, user("hi"), SAID]
    items.append({"role": "system", "content": "later"})
    told = messages(items, "a")
    assert told[0] == {"role": "system", "content": "a\n\nb\n\nc"}
    assert told[-1] == {"role": "system", "content": "later"}
    assert [message["role"] for message in told] == ["system", "user", "assistant", "system"]


def test_input_is_kept_with_ids_and_as_the_client_sent_it() -> None:
    kept = read(input=[user("hi"), SUMMARY, {**call("c1"), "id": "fc_mine", "extra": 1}, {"id": "msg_old"}]).input
    assert kept[0]["content"] == [{"type": "input_text", "text": "hi"}]
    assert [item["type"] for item in kept] == ["message", "reasoning", "function_call", "item_reference"]
    assert [item["id"] for item in kept] == ["msg_1", "rs_9", "fc_mine", "msg_old"]
    assert kept[2]["extra"] == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"reasoning": {"effort": "low", "summary": "auto"}}, {"reasoning_effort": "low"}),
        ({"text": {"format": {"type": "text"}, "verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
        (
            {"text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}}},
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ({"include": ["message.output_text.logprobs"]}, {"logprobs": True}),
        ({"include": ["reasoning.encrypted_content"], "store": False}, {}),
        ({"top_logprobs": 3}, {"logprobs": True, "top_logprobs": 3}),
        ({"tools": [TOOL, OTHER]}, {"tools": [CHAT_TOOL, CHAT_OTHER]}),
        ({"tools": [TOOL], "tool_choice": "required"}, {"tools": [CHAT_TOOL], "tool_choice": "required"}),
        (
            {"tools": [TOOL, OTHER], "tool_choice": {"type": "function", "name": "hear"}},
            {"tools": [CHAT_OTHER], "tool_choice": "required"},
        ),
        (
            {
                "tools": [TOOL, OTHER],
                "tool_choice": {
                    "type": "allowed_tools",
                    "mode": "auto",
                    "tools": [{"type": "function", "name": "look"}],
                },
            },
            {"tools": [CHAT_TOOL], "tool_choice": "auto"},
        ),
        ({"tools": [], "tool_choice": "auto"}, {}),
        ({"parallel_tool_calls": False}, {"parallel_tool_calls": False}),
        ({"seed": 7, "min_p": 0.1, "new": {"deep": [1]}}, {"seed": 7, "min_p": 0.1, "new": {"deep": [1]}}),
        ({"metadata": {"a": "b"}, "user": "u", "store": False, "service_tier": "auto", "temperature": None}, {}),
    ],
)
def test_request_becomes_the_chat_that_asks_the_same(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    streamed = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}
    for stream in (False, True):
        assert read(**fields, stream=stream).chat == streamed | expected


def test_response_repeats_what_was_asked_for() -> None:
    asked: dict[str, Any] = {
        "instructions": "be",
        "max_output_tokens": 9,
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "previous_response_id": "resp_0",
        "store": False,
        "temperature": 1,
        "text": {"verbosity": "low"},
        "tool_choice": {"type": "function", "name": "look"},
        "tools": [TOOL],
        "top_p": 0.5,
        "truncation": "disabled",
        "user": "u",
    }
    response = read(**asked).response
    for name, value in asked.items():
        expected = {"format": {"type": "text"}, "verbosity": "low"} if name == "text" else value
        got = getattr(response, name)
        assert (list(got) if isinstance(got, tuple) else got) == expected, name
    assert (response.id, response.created_at, response.status, response.model) == ("resp_2", NOW, "in_progress", "m")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 7}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"input": [{"role": "wizard", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [user_with({"type": "input_text"})]}, "input[0].content[0].text"),
        ({"input": [user_with({"type": "input_file", "file_id": "f"})]}, "input[0].content[0].type"),
        ({"input": [user_with({"type": "input_image", "file_id": "f"})]}, "input[0].content[0].file_id"),
        ({"input": [user_with({"type": "input_image"})]}, "input[0].content[0].image_url"),
        ({"input": [{"type": "web_search_call", "id": "x"}]}, "input[0].type"),
        ({"input": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "input[0].call_id"),
        ({"input": [{"type": "function_call_output", "call_id": "c"}]}, "input[0].output"),
        ({"input": [user("x"), {"type": "item_reference"}]}, "input[1].id"),
        ({"instructions": ["be"]}, "instructions"),
        ({"tools": {}}, "tools"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [TOOL, {"type": "mcp", "server_label": "s"}]}, "tools[1].type"),
        ({"tools": [{"type": "custom", "name": "c"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [{"type": "function", "name": "f", "parameters": "x"}]}, "tools[0].parameters"),
        ({"tools": [TOOL], "tool_choice": 7}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": "some"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "web_search_preview"}}, "tool_choice.type"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "hear"}}, "tool_choice"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format.schema"),
        ({"reasoning": {"effort": 3}}, "reasoning.effort"),
        ({"reasoning": "low"}, "reasoning"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"max_output_tokens": 2**31}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "1"}, "temperature"),
        ({"top_p": True}, "top_p"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"n_discard": -1}, "n_discard"),
        ({"n": 2}, "n"),
        ({"stream": "true"}, "stream"),
        ({"store": 1}, "store"),
        ({"truncation": "sometimes"}, "truncation"),
        ({"background": True, "store": False}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"previous_response_id": 7}, "previous_response_id"),
        ({"include": "all"}, "include"),
    ],
)  # fmt: skip
def test_request_that_cannot_be_answered_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(**fields)
    assert refused.value.param == param
