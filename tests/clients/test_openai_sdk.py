"""OpenAI's own Python client against the gateway: whatever it parses, raises and retries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam
from pydantic import BaseModel

from tests.fakes.launch import fake_engine
from tests.process.cli import Chat, Home, serving

DEMO = Path(__file__).parents[2] / "backend" / "llamero" / "assets" / "demo.gguf"
QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is a llama?"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Animal(BaseModel):
    name: str
    legs: int


@pytest.fixture
def client(served: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{served}/v1", api_key="not-needed", timeout=30) as client:
        yield client


def test_models_are_listed_and_found(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {"demo", "think", "tools", "embed"} <= set(names)
    assert len(names) == len(set(names))
    assert client.models.retrieve("demo").object == "model"


def test_chat_whole_and_streamed_say_the_same(client: OpenAI) -> None:
    whole = client.chat.completions.create(model="demo", messages=QUESTION, temperature=0)
    said = whole.choices[0].message.content
    assert whole.choices[0].finish_reason == "stop"
    assert whole.usage is not None and whole.usage.completion_tokens > 20
    stream = client.chat.completions.create(
        model="demo", messages=QUESTION, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
    assert text == said
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert {chunk.id for chunk in chunks} == {chunks[0].id}


def test_reasoning_comes_beside_the_answer(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="think", messages=QUESTION, temperature=0, stream=True)
    deltas = [choice.delta for chunk in stream for choice in chunk.choices]
    reasoning = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert reasoning
    assert "".join(delta.content or "" for delta in deltas)


def test_tool_is_called_and_its_result_is_answered(client: OpenAI) -> None:
    asked = client.chat.completions.create(model="tools", messages=QUESTION, tools=[WEATHER], temperature=0)
    message = asked.choices[0].message
    assert asked.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    call = message.tool_calls[0]
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert isinstance(json.loads(call.function.arguments), dict)
    told: list[ChatCompletionMessageParam] = [
        *QUESTION,
        {"role": "assistant", "tool_calls": [{"id": call.id, "type": "function", "function": {
            "name": call.function.name, "arguments": call.function.arguments}}]},
        {"role": "tool", "tool_call_id": call.id, "content": "sunny"},
    ]  # fmt: skip
    answer = client.chat.completions.create(model="tools", messages=told, temperature=0)
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content


def test_tool_call_in_a_stream_is_put_together_by_the_client(client: OpenAI) -> None:
    with client.chat.completions.stream(model="tools", messages=QUESTION, tools=[WEATHER], temperature=0) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        message = stream.get_final_completion().choices[0].message
    assert [event.name for event in done] == ["get_weather"]
    assert message.tool_calls
    assert json.loads(message.tool_calls[0].function.arguments) == json.loads(done[0].arguments)


def test_answer_keeps_to_a_json_schema(client: OpenAI) -> None:
    parsed = client.chat.completions.parse(
        model="demo", messages=QUESTION, response_format=Animal, temperature=0, max_tokens=400
    )
    animal = parsed.choices[0].message.parsed
    assert animal is not None
    assert isinstance(animal.legs, int)


def test_embeddings_in_base64_and_as_numbers_are_the_same(client: OpenAI) -> None:
    texts = ["wool", "a herd of llamas"]
    packed = client.embeddings.create(model="embed", input=texts)  # the client asks for base64 unless told otherwise
    plain = client.embeddings.create(model="embed", input=texts, encoding_format="float")
    assert [entry.index for entry in packed.data] == [0, 1]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    assert plain.usage.prompt_tokens > 0


def test_embeddings_have_the_dimensions_that_were_asked_for(client: OpenAI) -> None:
    (few,) = client.embeddings.create(model="embed", input="wool", dimensions=8).data
    assert len(few.embedding) == 8
    assert sum(number * number for number in few.embedding) == pytest.approx(1, abs=1e-5)
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="embed", input="wool", dimensions=100_000)
    assert refused.value.param == "dimensions"


def test_text_completion_whole_and_streamed(client: OpenAI) -> None:
    whole = client.completions.create(model="demo", prompt="Llamas are", max_tokens=12, temperature=0)
    stream = client.completions.create(model="demo", prompt="Llamas are", max_tokens=12, temperature=0, stream=True)
    assert "".join(choice.text for chunk in stream for choice in chunk.choices) == whole.choices[0].text


def test_unknown_model_raises_not_found_with_code_and_param(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="no-such-model", messages=QUESTION)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("org/no-such:Q4")


def test_wrong_field_raises_bad_request_that_names_it(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="demo", messages=QUESTION, temperature=9)
    assert caught.value.param == "temperature"
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model="demo", input="wool")
    assert caught.value.code == "model_does_not_embed"


def test_conversation_longer_than_the_context_raises_the_code_that_clients_look_for(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="demo", messages=[{"role": "user", "content": "llama " * 20_000}])
    assert caught.value.code == "context_length_exceeded"


def test_full_queue_is_retried_by_the_client_until_there_is_room(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.use_engine(fake_engine(tmp_path, stall_after_chunks=1), "[servers]\nconcurrency = 1\nqueue_limit = 0\n")
    statuses: list[int] = []

    with serving(home, "--port", "0", "--model", DEMO) as server:
        port = server.port()
        holder = Chat(port, "demo")
        assert holder.response.status == 200

        def note(response: object) -> None:
            statuses.append(response.status_code)  # type: ignore[attr-defined]
            holder.close()  # from now on there is room

        http_client = openai.DefaultHttpxClient(event_hooks={"response": [note]})
        with OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="x", http_client=http_client) as client:
            stream = client.chat.completions.create(model="demo", messages=QUESTION, stream=True)
            assert next(iter(stream))
            stream.close()
    assert statuses == [503, 200]
