"""Anthropic's own Python client against the gateway: whatever it parses, adds up, raises and retries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic
from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel

from tests.clients.engines import engine_of, home_with_models
from tests.process.cli import Home, serving

QUESTION: list[MessageParam] = [{"role": "user", "content": "What is a llama?"}]
# The client of this age has no argument for it, and sends it when told to.
CERTAIN = {"temperature": 0}
WEATHER: ToolParam = {
    "name": "get_weather",
    "description": "The weather in a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


class Animal(BaseModel):
    name: str
    legs: int


@pytest.fixture
def client(served: str) -> Iterator[Anthropic]:
    with Anthropic(base_url=served, api_key="not-needed", timeout=30) as client:
        yield client


def ask(client: Anthropic, **fields: Any) -> anthropic.types.Message:
    wanted = {"model": "demo", "max_tokens": 200, "messages": QUESTION, "extra_body": CERTAIN} | fields
    message: anthropic.types.Message = client.messages.create(**wanted)
    return message


def text_of(message: anthropic.types.Message) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def test_message_whole_and_streamed_say_the_same(client: Anthropic) -> None:
    whole = ask(client)
    assert whole.stop_reason == "end_turn"
    assert text_of(whole).startswith("Hello!")
    with client.messages.stream(model="demo", max_tokens=200, messages=QUESTION, extra_body=CERTAIN) as stream:
        pieces = list(stream.text_stream)
        streamed = stream.get_final_message()
    assert len(pieces) > 20
    assert "".join(pieces) == text_of(streamed) == text_of(whole)
    assert streamed.usage == whole.usage
    assert streamed.usage.input_tokens > 10
    assert streamed.usage.output_tokens > 20


def test_message_raw_stream_has_known_events_only(client: Anthropic) -> None:
    stream = client.messages.create(model="demo", max_tokens=3, messages=QUESTION, stream=True)
    events = [event.type for event in stream]
    assert events[0] == "message_start"
    assert events[-2:] == ["message_delta", "message_stop"]
    assert set(events[1:-2]) == {"content_block_start", "content_block_delta", "content_block_stop"}


def test_message_is_cut_at_the_token_limit(client: Anthropic) -> None:
    message = ask(client, max_tokens=3)
    assert (message.stop_reason, message.usage.output_tokens) == ("max_tokens", 3)


def test_message_stops_at_a_stop_sequence(client: Anthropic) -> None:
    message = ask(client, stop_sequences=["nobody says this", "demo"])
    assert text_of(message) == "Hello! I am the Llamero "
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "demo")


def test_message_goes_on_from_a_prefilled_answer(client: Anthropic) -> None:
    begun: MessageParam = {"role": "assistant", "content": "Hello! I am"}
    assert text_of(ask(client, messages=[*QUESTION, begun])).startswith(" the Llamero demo")


def test_message_with_thoughts_has_a_thinking_block(client: Anthropic) -> None:
    with client.messages.stream(model="think", max_tokens=300, messages=QUESTION, extra_body=CERTAIN) as stream:
        thinking, text = stream.get_final_message().content
    assert thinking.type == "thinking"
    assert thinking.thinking.startswith("Okay")
    assert thinking.signature
    assert text.type == "text"
    again: list[Any] = [*QUESTION, {"role": "assistant", "content": [thinking.to_dict(), text.to_dict()]}, *QUESTION]
    assert ask(client, model="think", messages=again).content


def test_message_without_thinking_has_none(client: Anthropic) -> None:
    message = ask(client, model="think", thinking={"type": "disabled"})
    assert [block.type for block in message.content] == ["text"]


def test_tool_is_called_and_its_result_answered(client: Anthropic) -> None:
    with client.messages.stream(
        model="tools", max_tokens=300, messages=QUESTION, tools=[WEATHER], extra_body=CERTAIN
    ) as stream:
        called = stream.get_final_message()
    assert called.stop_reason == "tool_use"
    (call,) = [block for block in called.content if block.type == "tool_use"]
    assert call.name == "get_weather"
    assert isinstance(call.input["city"], str)
    whole = ask(client, model="tools", tools=[WEATHER], tool_choice={"type": "tool", "name": "get_weather"})
    assert whole.stop_reason == "tool_use"
    result: MessageParam = {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "rain"}]}],
    }
    turns: list[MessageParam] = [*QUESTION, {"role": "assistant", "content": called.content}, result]
    answer = ask(client, model="tools", tools=[WEATHER], messages=turns)
    assert answer.stop_reason == "end_turn"
    assert text_of(answer)


def test_message_parsed_into_a_type(client: Anthropic) -> None:
    parsed = client.messages.parse(
        model="demo", max_tokens=300, messages=QUESTION, extra_body=CERTAIN, output_format=Animal
    )
    assert isinstance(parsed.parsed_output, Animal)


def test_count_is_what_the_message_then_has(client: Anthropic) -> None:
    for fields in ({}, {"system": "Be brief."}, {"tools": [WEATHER]}):
        model = "tools" if "tools" in fields else "demo"
        counted = client.messages.count_tokens(model=model, messages=QUESTION, **fields)  # type: ignore[arg-type]
        assert counted.input_tokens == ask(client, model=model, max_tokens=1, **fields).usage.input_tokens


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"model": "nobody"}, anthropic.NotFoundError),
        ({"extra_body": {"temperature": 9}}, anthropic.BadRequestError),
        ({"messages": [{"role": "user", "content": "llama " * 20_000}]}, anthropic.BadRequestError),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, anthropic.BadRequestError),
    ],
    ids=["model", "range", "context", "document"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusal_is_raised_as_what_it_is(
    client: Anthropic, fields: dict[str, Any], error: type[anthropic.APIStatusError], stream: bool
) -> None:
    with pytest.raises(error) as raised:
        ask(client, stream=stream, **fields)
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["type"] == "error"
    assert raised.value.request_id is not None


def test_engine_killed_in_mid_stream_the_message_is_complete(tmp_path: Path, demo_model: Path) -> None:
    home = home_with_models(Home(tmp_path), demo_model, "a")
    with serving(home, "--port", "0") as server, Anthropic(base_url=server.url(), api_key="x") as client:

        def answer(kill_after: int | None) -> anthropic.types.Message:
            wanted = {"model": "a", "max_tokens": 200, "messages": QUESTION, "extra_body": CERTAIN}
            seen = 0
            with client.messages.stream(**wanted) as stream:  # type: ignore[arg-type]
                for _ in stream.text_stream:
                    seen += 1
                    if seen == kill_after:
                        engine_of(home).kill()
                return stream.get_final_message()

        undisturbed = answer(None)
        for kill_after in (1, 5, 20, 40):
            healed = answer(kill_after)
            assert healed.content == undisturbed.content
            assert healed.stop_reason == "end_turn"
