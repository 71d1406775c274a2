"""Every route for engines, against the real engine behind `llamero serve`: what a client of llama-server gets here."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.process.cli import Home, serving

GREEDY = {"temperature": 0, "max_tokens": 12}


class Client:
    """Asks one gateway."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and decoded JSON of one request; the text where it is no JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, json.dumps(body) if body is not None else None)
            response = connection.getresponse()
            content = response.read()
        try:
            return response.status, json.loads(content)
        except ValueError:
            return response.status, content.decode()

    def post(self, path: str, **body: Any) -> Any:
        """The answer to a request that succeeds."""
        status, answer = self.ask("POST", path, body)
        assert status == 200, answer
        return answer

    def refused(self, path: str, **body: Any) -> dict[str, Any]:
        """The error of a request that is refused, with its status."""
        status, answer = self.ask("POST", path, body)
        assert status >= 400, answer
        return answer["error"] | {"status": status}


def events(stream: str) -> list[Any]:
    data = [line.removeprefix("data: ") for line in stream.split("\n") if line.startswith("data: ")]
    return [event if event == "[DONE]" else json.loads(event) for event in data]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[Client]:
    home = Home(tmp_path_factory.mktemp("home"))
    (home.data / "models").mkdir(parents=True)
    shutil.copy(models_dir / "embed.gguf", home.data / "models")
    home.write_settings("[servers]\nmax_loaded = 2\n")
    demo = shutil.copy(models_dir / "demo.gguf", home.data / "elsewhere.gguf")
    for name, flag in (("embedding/of demo", "--embedding"), ("embedding-by-argument", "--arguments=--embeddings")):
        assert home.run("alias", "set", name, "--file", demo, flag).status == 0
    with serving(home, "--port", "0") as server:
        yield Client(server.port())


def test_completion_whole_and_streamed_say_the_same(client: Client) -> None:
    whole = client.post("/v1/completions", model="demo", prompt="Hello", **GREEDY)
    assert (whole["object"], whole["model"]) == ("text_completion", "demo")
    assert whole["choices"][0]["finish_reason"] == "length"
    *chunks, done = events(client.post("/v1/completions", model="demo", prompt="Hello", stream=True, **GREEDY))
    assert done == "[DONE]"
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == whole["choices"][0]["text"]


def test_completion_of_several_prompts_answers_each(client: Client) -> None:
    chunks = events(client.post("/v1/completions", model="demo", prompt=["Hello", "A"], stream=True, **GREEDY))
    said = {choice["index"] for chunk in chunks[:-1] for choice in chunk["choices"]}
    assert (said, chunks[-1]) == ({0, 1}, "[DONE]")


def test_completion_longer_than_the_context_is_refused_by_name(client: Client) -> None:
    error = client.refused("/v1/completions", model="demo", prompt="x " * 9000)
    assert (error["status"], error["code"], error["param"]) == (400, "context_length_exceeded", None)


def test_engines_own_completion_passes_as_it_is(client: Client) -> None:
    whole = client.post("/completion", model="demo", prompt="Hello", n_predict=5, temperature=0)
    assert (whole["tokens_predicted"], whole["model"]) == (5, "demo")
    chunks = events(client.post("/completion", model="demo", prompt="Hello", n_predict=5, temperature=0, stream=True))
    assert "".join(chunk["content"] for chunk in chunks) == whole["content"]
    assert [chunk["stop"] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]


def test_infill_fills_the_gap(client: Client) -> None:
    answer = client.post("/infill", model="demo", input_prefix="Hello", input_suffix=".", n_predict=4)
    assert answer["tokens_predicted"] == 4


@pytest.mark.parametrize("version", ["", "/v1"])
def test_text_comes_back_from_its_tokens(client: Client, version: str) -> None:
    tokens = client.post(f"{version}/tokenize", model="demo", content="Hello llama")["tokens"]
    assert len(tokens) > 1
    assert client.post(f"{version}/detokenize", model="demo", tokens=tokens)["content"].strip() == "Hello llama"


def test_template_is_rendered_by_the_engine(client: Client) -> None:
    messages = [{"role": "user", "content": "What is a llama?"}]
    assert "What is a llama?" in client.post("/apply-template", model="demo", messages=messages)["prompt"]


def test_model_that_is_not_named_among_two_loaded_ones_is_asked_for(client: Client) -> None:
    client.post("/tokenize", model="demo", content="x")
    client.post("/v1/embeddings", model="embed", input="cat")
    error = client.refused("/tokenize", content="Hello")
    assert (error["status"], error["param"]) == (400, "model")


def test_looks_show_a_loaded_model_and_none_of_this_machines_paths(client: Client) -> None:
    client.post("/tokenize", model="demo", content="x")
    status, props = client.ask("GET", "/props?model=demo")
    assert (status, props["model_path"], props["model_alias"]) == (200, "demo.gguf", "demo")
    assert props["default_generation_settings"]["n_ctx"] > 0
    status, slots = client.ask("GET", "/slots?model=demo")
    assert status == 200
    assert {slot["is_processing"] for slot in slots} == {False}
    assert client.ask("GET", "/lora-adapters?model=demo") == (200, [])
    assert client.ask("POST", "/lora-adapters?model=demo", []) == (200, {"success": True})


def test_what_the_engine_was_not_started_for_is_refused_in_its_words(client: Client) -> None:
    client.post("/tokenize", model="demo", content="x")
    for path, body in (
        ("/props?model=demo", {}),
        ("/slots/0?model=demo&action=erase", {}),
        ("/v1/rerank", {"model": "demo", "query": "a", "documents": ["b"]}),
    ):
        status, answer = client.ask("POST", path, body)
        assert (status, answer["error"]["type"]) == (501, "not_supported_error"), path
        assert isinstance(answer["error"]["code"], str)


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/apply-template"])
@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": 5}, "tools"),
        ({"tools": [{}]}, "tools"),
        ({"messages": [{"content": "x"}]}, "messages"),
        ({"messages": [{}]}, "messages"),
        ({"messages": [{"role": "assistant"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "zzz"}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages"),
        ({"messages": [{"role": "assistant", "tool_calls": [{}]}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages"),
    ],
    ids=str,
)
def test_request_that_the_engine_cannot_read_names_the_field(
    client: Client, path: str, fields: dict[str, Any], param: str
) -> None:
    question = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
    error = client.refused(path, **(question | fields))
    assert (error["status"], error["code"], error["param"]) == (400, "invalid_request", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 1000}, "n"),
        ({"cache_prompt": "x"}, "cache_prompt"),
        ({"tool_choice": "nope"}, "tool_choice"),
        ({"response_format": {"type": "zzz"}}, "response_format"),
        ({"grammar": "x ::="}, None),
    ],
    ids=str,
)
def test_refusal_of_the_engine_names_the_field(client: Client, fields: dict[str, Any], param: str | None) -> None:
    question = {"model": "demo", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    error = client.refused("/v1/chat/completions", **(question | fields))
    assert (error["status"], error["type"], error["param"]) == (400, "invalid_request_error", param)


@pytest.mark.parametrize("texts", ["cat", ["cat", "the tax on my invoice"], [[3, 4], [5]], [3, 4]], ids=str)
def test_embeddings_in_numbers_and_in_base64_are_the_same(client: Client, texts: Any) -> None:
    numbers = client.post("/v1/embeddings", model="embed", input=texts)
    packed = client.post("/v1/embeddings", model="embed", input=texts, encoding_format="base64")
    assert numbers["usage"]["prompt_tokens"] > 0
    assert len(numbers["data"]) == len(packed["data"])
    for one, other in zip(numbers["data"], packed["data"], strict=True):
        raw = base64.b64decode(other["embedding"])
        assert struct.unpack(f"<{len(raw) // 4}f", raw) == pytest.approx(one["embedding"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "hi"}], "stream": True}),
        ("/v1/completions", {"prompt": "hi"}),
        ("/v1/responses", {"input": "hi"}),
        ("/completion", {"prompt": "hi"}),
        ("/v1/messages", {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}),
        ("/api/chat", {"messages": [{"role": "user", "content": "hi"}]}),
        ("/api/generate", {"prompt": "hi", "raw": True}),
    ],
    ids=str,
)
def test_model_that_only_embeds_says_that_it_does_not_write(client: Client, path: str, body: dict[str, Any]) -> None:
    status, answer = client.ask("POST", path, {"model": "embed", **body})
    error = answer["error"] if isinstance(answer["error"], dict) else answer
    assert (status, error["code"], error["param"]) == (400, "model_does_not_generate", "model")


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
def test_text_too_long_to_embed_is_the_clients_fault(client: Client, path: str) -> None:
    status, answer = client.ask("POST", path, {"model": "embed", "input": "wool " * 3000})
    error = answer["error"] if isinstance(answer["error"], dict) else answer
    assert (status, error["code"], error["param"]) == (400, "context_length_exceeded", "input")


def test_alias_marked_as_embedding_embeds_a_text_longer_than_the_engines_batch(client: Client) -> None:
    answer = client.post("/v1/embeddings", model="embedding/of demo", input="wool " * 1500)
    assert answer["usage"]["prompt_tokens"] > 512
    (vector,) = answer["data"]
    assert len(vector["embedding"]) > 1
    assert client.post("/v1/embeddings", model="embedding-by-argument", input="cat")["data"]


def test_model_that_does_not_embed_says_so(client: Client) -> None:
    error = client.refused("/v1/embeddings", model="demo", input="cat")
    assert (error["status"], error["code"], error["param"]) == (400, "model_does_not_embed", "model")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/completion", {"prompt": "x", "n_discard": -1}),
        ("/infill", {"input_prefix": "x", "input_suffix": "y", "n_keep": 2**31}),
        ("/v1/completions", {"prompt": [-1]}),
        ("/v1/embeddings", {"input": [2**40]}),
        ("/detokenize", {"tokens": [-7]}),
    ],
)
def test_number_beyond_a_c_integer_never_reaches_the_engine(client: Client, path: str, body: dict[str, Any]) -> None:
    """CVE-2026-21869, on every route that reaches an engine."""
    assert client.refused(path, model="demo", **body)["status"] == 400
