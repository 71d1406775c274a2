"""Ollama's own Python client against the gateway: whatever it parses, adds up and raises."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ollama import AsyncClient, ChatResponse, Client, ResponseError

from tests.clients.engines import engine_of, home_with_models
from tests.process.cli import Home, serving

QUESTION = [{"role": "user", "content": "What is a llama?"}]
CERTAIN = {"temperature": 0}
ANIMAL = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "legs": {"type": "integer"}},
    "required": ["name", "legs"],
}


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
      city: where
    """
    return f"rain in {city}"


@pytest.fixture
def client(served: str) -> Iterator[Client]:
    with Client(host=served, timeout=30) as client:
        yield client


def chat(client: Client, **fields: Any) -> ChatResponse:
    answer: ChatResponse = client.chat(**{"model": "demo", "messages": QUESTION, "options": CERTAIN} | fields)
    return answer


def test_chat_whole_and_streamed_say_the_same(client: Client) -> None:
    whole = chat(client)
    *said, last = list(client.chat(model="demo", messages=QUESTION, options=CERTAIN, stream=True))
    assert len(said) > 20
    assert "".join(line.message.content or "" for line in said) == whole.message.content
    assert (last.done, last.done_reason) == (True, "stop")
    assert last.eval_count == whole.eval_count
    for answer in (whole, last):
        assert answer.prompt_eval_count and answer.eval_count and answer.eval_duration
        assert answer.total_duration is not None and answer.load_duration is not None
        assert answer.total_duration >= answer.load_duration + answer.eval_duration
    assert whole.created_at is not None
    assert abs((datetime.fromisoformat(whole.created_at) - datetime.now(UTC)).total_seconds()) < 60


def test_chat_is_cut_at_the_token_limit(client: Client) -> None:
    answer = chat(client, options={**CERTAIN, "num_predict": 3, "num_ctx": 512})
    assert (answer.done_reason, answer.eval_count) == ("length", 3)


def test_chat_with_thoughts_and_without(client: Client) -> None:
    thought = chat(client, model="think", think=True)
    assert thought.message.thinking is not None and thought.message.thinking.startswith("Okay")
    assert thought.message.content
    assert chat(client, model="think", think=False).message.thinking is None
    turns = [*QUESTION, thought.message, *QUESTION]
    assert chat(client, model="think", messages=turns).message.content


def test_chat_calls_a_function_and_answers_its_result(client: Client) -> None:
    called = chat(client, model="tools", tools=[get_weather])
    (call,) = called.message.tool_calls or ()
    assert call.function.name == "get_weather"
    result = get_weather(**call.function.arguments)
    streamed = [
        call
        for line in client.chat(model="tools", messages=QUESTION, tools=[get_weather], options=CERTAIN, stream=True)
        for call in line.message.tool_calls or ()
    ]
    assert [call.function.name for call in streamed] == ["get_weather"]
    turns = [*QUESTION, called.message, {"role": "tool", "content": result, "tool_name": "get_weather"}]
    answer = chat(client, model="tools", messages=turns, tools=[get_weather])
    assert answer.message.content and not answer.message.tool_calls


@pytest.mark.parametrize("form", ["json", ANIMAL], ids=["json", "schema"])
def test_chat_answers_in_the_form_that_is_asked(client: Client, form: Any) -> None:
    content = chat(client, format=form, options={**CERTAIN, "num_predict": 200}).message.content
    assert content is not None and content.lstrip().startswith("{")


def test_generate_whole_streamed_raw_and_in_between(client: Client) -> None:
    whole = client.generate(model="demo", prompt="What is a llama?", options=CERTAIN)
    lines = client.generate(model="demo", prompt="What is a llama?", options=CERTAIN, stream=True)
    assert "".join(line.response or "" for line in lines) == whole.response
    assert whole.response == chat(client).message.content
    few = {**CERTAIN, "num_predict": 4}
    raw = client.generate(model="demo", prompt="A llama", raw=True, options=few)
    between = client.generate(model="demo", prompt="A llama", suffix=" end", options=few)
    for answer in (raw, between):
        assert answer.response
        assert (answer.done_reason, answer.eval_count) == ("length", 4)


def test_embed_one_and_many(client: Client) -> None:
    many = client.embed(model="embed", input=["wool", "llama"])
    one = client.embed(model="embed", input="wool")
    assert len(many.embeddings) == 2
    assert list(one.embeddings[0]) == pytest.approx(list(many.embeddings[0]))
    assert many.prompt_eval_count
    older = client.embeddings(model="embed", prompt="wool")
    assert list(older.embedding) == pytest.approx(list(one.embeddings[0]))


def test_models_are_listed_shown_and_found_by_their_tag(client: Client) -> None:
    by_name = {model.model: model for model in client.list().models}
    assert {"demo", "think", "tools", "embed"} <= set(by_name)
    demo = by_name["demo"]
    assert demo.size and demo.digest and demo.modified_at
    assert demo.details is not None
    assert (demo.details.family, demo.details.quantization_level) == ("llama", "F16")
    shown = client.show("demo:latest")
    assert shown.capabilities == ["completion", "tools"]
    assert shown.modelinfo is not None and shown.modelinfo["llama.context_length"] == 8192
    assert client.show("embed").capabilities == ["embedding"]
    assert chat(client, model="demo:latest", options={"num_predict": 1}).model == "demo:latest"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"model": "nobody"}, 404),
        ({"options": {"temperature": 9}}, 400),
        ({"messages": [{"role": "user", "content": "llama " * 20_000}]}, 400),
        ({"keep_alive": "soon"}, 400),
    ],
    ids=["model", "range", "context", "keep-alive"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusal_is_raised_with_its_status(client: Client, fields: dict[str, Any], status: int, stream: bool) -> None:
    with pytest.raises(ResponseError) as raised:
        list(client.chat(**{"model": "demo", "messages": QUESTION} | fields, stream=stream))
    assert raised.value.status_code == status
    assert raised.value.error


def test_model_that_does_not_embed_is_refused(client: Client) -> None:
    with pytest.raises(ResponseError) as raised:
        client.embed(model="demo", input="wool")
    assert raised.value.status_code == 400


def test_tokens_are_told_with_how_likely_they_were(client: Client) -> None:
    asked: dict[str, Any] = {
        "model": "demo",
        "options": CERTAIN | {"num_predict": 5},
        "logprobs": True,
        "top_logprobs": 2,
    }
    whole = client.chat(messages=QUESTION, **asked)
    assert whole.logprobs is not None
    assert "".join(one.token for one in whole.logprobs) == whole.message.content
    assert all(one.logprob <= 0 and len(one.top_logprobs or ()) == 2 for one in whole.logprobs)
    streamed = [one for line in client.chat(messages=QUESTION, stream=True, **asked) for one in line.logprobs or ()]
    assert [one.token for one in streamed] == [one.token for one in whole.logprobs]
    for more in ({}, {"raw": True}, {"suffix": "."}):
        generated = client.generate(prompt="Hello", **asked, **more)
        assert "".join(one.token for one in generated.logprobs or ()) == generated.response
    assert client.chat(model="demo", messages=QUESTION, options=CERTAIN).logprobs is None


def test_model_is_loaded_kept_and_let_go(tmp_path: Path, demo_model: Path) -> None:
    home = home_with_models(Home(tmp_path), demo_model, "a")
    with serving(home, "--port", "0") as server, Client(host=server.url(), timeout=30) as client:
        assert client.ps().models == []
        assert client.generate(model="a", keep_alive="1h").done_reason == "load"
        (loaded,) = client.ps().models
        assert (loaded.model, loaded.size_vram) == ("a", 0)
        assert loaded.size and loaded.expires_at
        assert loaded.context_length == 8192
        assert 3500 < (loaded.expires_at - datetime.now(UTC)).total_seconds() <= 3600
        assert client.chat(model="a", messages=[], keep_alive=-1).done_reason == "load"
        (kept,) = client.ps().models
        assert kept.expires_at is not None
        assert (kept.expires_at - datetime.now(UTC)).days > 365
        stream = client.chat(model="a", messages=QUESTION, options=CERTAIN, keep_alive="1h", stream=True)
        pieces = [next(stream).message.content]
        assert client.generate(model="a", keep_alive=0).done_reason == "unload"
        pieces += [line.message.content for line in stream]
        assert len(pieces) > 20, "letting a model go cuts no answer"
        assert client.generate(model="a", keep_alive=0).done_reason == "unload"
        assert client.ps().models == []
        client.chat(model="a", messages=QUESTION, options={"num_predict": 1}, keep_alive=0)
        assert client.generate(model="a", keep_alive=0).done_reason == "unload"
        assert client.ps().models == []


async def test_async_client_streams(served: str) -> None:
    stream = await AsyncClient(host=served).chat(model="demo", messages=QUESTION, stream=True)
    assert [line.done async for line in stream][-1]


def test_engine_killed_in_mid_stream_the_answer_is_complete(tmp_path: Path, demo_model: Path) -> None:
    home = home_with_models(Home(tmp_path), demo_model, "a")
    with serving(home, "--port", "0") as server, Client(host=server.url(), timeout=30) as client:

        def answer(kill_after: int | None) -> tuple[str, int | None]:
            pieces: list[str] = []
            last = None
            for last in client.chat(model="a", messages=QUESTION, options=CERTAIN, stream=True):
                pieces.append(last.message.content or "")
                if len(pieces) == kill_after:
                    engine_of(home).kill()
            assert last is not None and last.done_reason == "stop"
            return "".join(pieces), last.eval_count

        undisturbed = answer(None)
        assert [answer(kill_after) for kill_after in (1, 5, 20, 40)] == [undisturbed] * 4
