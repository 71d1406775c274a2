"""The embedded engine answers as llama-server does, with each of the test models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.embedded_engine import QUESTION, Engine, running_engine


@pytest.fixture(scope="module")
def demo(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with running_engine(demo_model, tmp_path_factory.mktemp("demo")) as engine:
        yield engine


@pytest.fixture(scope="module")
def answer(demo: Engine) -> str:
    choice = demo.chat()
    assert choice["finish_reason"] == "stop"
    return str(choice["message"]["content"])


def test_demo_at_temperature_zero_introduces_itself(answer: str) -> None:
    assert answer.startswith("Hello! I am the Llamero demo, a tiny model")
    assert "not a real assistant" in answer
    assert answer.endswith("Until then, enjoy the walk with our herd.")


def test_demo_with_ignore_eos_writes_as_much_as_asked_for(demo: Engine) -> None:
    status, body = demo.request("POST", "/completion", {"prompt": "Hello", "n_predict": 400, "ignore_eos": True})
    assert status == 200
    assert body["tokens_predicted"] == 400


def test_demo_sampled_without_any_filter_stays_readable(demo: Engine) -> None:
    for seed in range(8):
        options: dict[str, Any] = {
            "seed": seed,
            "temperature": 1.0,
            "top_k": 0,
            "top_p": 1.0,
            "min_p": 0.0,
            "max_tokens": 300,
        }
        text = demo.chat(**options)["message"]["content"]
        assert text[0].isupper()
        assert text.replace("\n", " ").isprintable()
        assert "<" not in text and "{" not in text


def test_demo_text_tokenizes_to_the_ids_that_wrote_it(demo: Engine) -> None:
    prompt = demo.request("POST", "/apply-template", {"messages": QUESTION})[1]["prompt"]
    asked = {"prompt": prompt, "n_predict": 300, "ignore_eos": True, "seed": 3, "return_tokens": True}
    written = demo.request("POST", "/completion", asked)[1]
    whole = demo.request("POST", "/tokenize", {"content": prompt + written["content"], "parse_special": True})[1]
    assert whole["tokens"][-300:] == written["tokens"]


def test_demo_continued_from_every_token_gives_the_same_answer(demo: Engine, answer: str) -> None:
    tokens = demo.request("POST", "/tokenize", {"content": answer, "with_pieces": True})[1]["tokens"]
    pieces = [token["piece"] for token in tokens]
    assert len(pieces) == 62
    for cut in range(1, len(pieces)):
        prefix = "".join(pieces[:cut])
        message = demo.chat([*QUESTION, {"role": "assistant", "content": prefix}])["message"]
        assert message["content"] in (answer, answer[len(prefix) :]), f"cut after {cut} tokens"


def test_stream_of_the_demo_has_roles_text_finish_and_done(demo: Engine, answer: str) -> None:
    with demo.stream() as lines:
        events = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert choices[0]["delta"]["role"] == "assistant"
    assert "".join(choice["delta"].get("content") or "" for choice in choices) == answer
    assert choices[-1]["finish_reason"] == "stop"


def test_json_schema_on_the_demo_gives_matching_json(demo: Engine) -> None:
    properties = {"city": {"type": "string"}, "days": {"type": "integer"}}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    wanted = {"type": "json_schema", "json_schema": {"schema": schema}}
    choice = demo.chat(response_format=wanted, max_tokens=100)
    assert choice["finish_reason"] == "stop"
    assert set(json.loads(choice["message"]["content"])) == {"city", "days"}


def test_thinking_model_reasons_and_then_answers(think_model: Path, tmp_path: Path, answer: str) -> None:
    with running_engine(think_model, tmp_path) as engine:
        message = engine.chat()["message"]
        silent = engine.chat(chat_template_kwargs={"enable_thinking": False})["message"]
    assert message["content"] == silent["content"] == answer
    assert message["reasoning_content"].endswith(".")
    assert not silent.get("reasoning_content")


def test_tool_model_calls_a_tool_and_answers_its_result(tools_model: Path, tmp_path: Path, answer: str) -> None:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tools = [{"type": "function", "function": {"name": "get_weather", "parameters": parameters}}]
    with running_engine(tools_model, tmp_path) as engine:
        asked = engine.chat(tools=tools)
        call = asked["message"]["tool_calls"][0]
        result = {"role": "tool", "tool_call_id": call["id"], "content": "sunny"}
        told = engine.chat([*QUESTION, asked["message"], result], tools=tools)
    assert asked["finish_reason"] == "tool_calls"
    assert call["function"]["name"] == "get_weather"
    assert set(json.loads(call["function"]["arguments"])) == {"city"}
    assert told["message"]["content"] == answer


def test_embedding_model_puts_similar_words_close_together(embed_model: Path, tmp_path: Path) -> None:
    texts = ["cat", "kitten", "the tax on my invoice", "a dog and a llama"]
    with running_engine(embed_model, tmp_path, "--embedding") as engine:
        status, body = engine.request("POST", "/v1/embeddings", {"input": texts})
    assert status == 200
    cat, kitten, tax, animals = (entry["embedding"] for entry in body["data"])
    assert _dot(cat, kitten) > 0.8
    assert _dot(cat, animals) > 0.8
    assert abs(_dot(cat, tax)) < 0.4


def _dot(one: list[float], other: list[float]) -> float:
    """The cosine, as the engine gives vectors of length 1."""
    return sum(a * b for a, b in zip(one, other, strict=True))
