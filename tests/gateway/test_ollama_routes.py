"""Ollama's API over a real socket: lines, whole answers, loading and unloading, and every refusal in its own shape."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import pytest

from llamero.gateway.limits import Limits
from llamero.models.errors import EngineFailed, LlameroError, Unavailable, UpstreamFailed
from tests.gateway.harness import (
    Gateway,
    RawResponse,
    Script,
    event,
    eventually,
    forever,
    read_response,
    request_bytes,
    running_gateway,
    send,
)

CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
GENERATE = {"model": "m", "prompt": "hi"}
DONE = b"data: [DONE]\n\n"
BOTH = pytest.mark.parametrize(
    ("path", "body"), [("/api/chat", CHAT), ("/api/generate", GENERATE)], ids=["chat", "generate"]
)
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


def data(document: Any) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, *, end: str | None = None, **fields: Any) -> bytes:
    return data({"choices": [{"index": 0, "delta": delta or {}, "finish_reason": end}], **fields})


END = (
    chunk(end="stop"),
    data(
        {
            "choices": [],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
            "timings": {"prompt_n": 5, "prompt_ms": 1.5, "predicted_n": 2, "predicted_ms": 2.5},
        }
    ),
    DONE,
)
ANSWER = (chunk({"role": "assistant", "content": None}), event("a"), event("b"), *END)
CALLS = (
    chunk(
        {"tool_calls": [{"index": 0, "id": "t0", "type": "function", "function": {"name": "time", "arguments": '{"z'}}]}
    ),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": 'one": 1}'}}]}),
    chunk(end="tool_calls"),
    DONE,
)


async def ask(gateway: Gateway, path: str, body: object, **headers: str) -> RawResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await send(gateway, "POST", path, headers, raw)


def lines(response: RawResponse) -> list[dict[str, Any]]:
    assert response.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.body.splitlines()]


def error_of(response: RawResponse) -> dict[str, Any]:
    """The error of a response, whose shape is checked on the way."""
    document: dict[str, Any] = response.json()
    assert isinstance(document["error"], str)
    assert isinstance(document["code"], str)
    return document


async def test_ollama_greets_and_says_its_version() -> None:
    async with running_gateway() as gateway:
        greeting = await send(gateway, "GET", "/")
        version = (await send(gateway, "GET", "/api/version")).json()["version"]
    assert (greeting.status, greeting.body) == (200, b"Ollama is running")
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)


async def test_ollama_head_finds_it() -> None:
    async with running_gateway() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(request_bytes("HEAD", "/", {"Host": gateway.host, "Connection": "close"}))
        response = await reader.read()
        writer.close()
    assert response.startswith(b"HTTP/1.1 200 ")


async def test_ollama_chat_streams_by_default() -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        *said, last = lines(await ask(gateway, "/api/chat", CHAT))
        (request,) = gateway.inference.requests
        assert gateway.inference.open == 0
    assert [line["message"]["content"] for line in said] == ["a", "b"]
    assert {line["done"] for line in said} == {False}
    assert {line["model"] for line in said} == {"m"}
    assert last["message"] == {"role": "assistant", "content": ""}
    assert (last["done"], last["done_reason"]) == (True, "stop")
    assert (last["prompt_eval_count"], last["prompt_eval_duration"]) == (5, 1_500_000)
    assert (last["eval_count"], last["eval_duration"]) == (2, 2_500_000)
    assert last["total_duration"] > 0
    assert request.endpoint == "/v1/chat/completions"
    assert request.body["stream"] is True
    assert request.keep_alive_s is None


@BOTH
async def test_ollama_whole_answer_is_asked_as_a_stream(path: str, body: dict[str, Any]) -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        response = await ask(gateway, path, body | {"stream": False})
        (request,) = gateway.inference.requests
    document = response.json()
    assert (document["done"], document["eval_count"]) == (True, 2)
    assert (document["message"]["content"] if path == "/api/chat" else document["response"]) == "ab"
    assert request.body["stream"] is True
    assert request.body["messages"] == CHAT["messages"]


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_ollama_stream_cut_anywhere_says_the_same(cut: int) -> None:
    raw = b"".join(CALLS)
    pieces = [raw[start : start + cut] for start in range(0, len(raw), cut)]
    async with running_gateway(Script(pieces)) as gateway:
        call, last = lines(await ask(gateway, "/api/chat", CHAT))
    assert call["message"]["tool_calls"][0]["function"] == {"index": 0, "name": "time", "arguments": {"zone": 1}}
    assert last["done_reason"] == "stop"


RAW = (
    data({"choices": [{"text": "a", "index": 0, "finish_reason": None}]}),
    data({"choices": [{"text": "b", "index": 0, "finish_reason": None}]}),
    data({"choices": [{"text": "", "index": 0, "finish_reason": "length"}]}),
    data({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}),
    DONE,
)
INFILL = (
    data({"content": "a", "stop": False, "tokens_predicted": 1}),
    data({"content": "b", "stop": False, "tokens_predicted": 2}),
    data({"content": "", "stop": True, "stop_type": "limit", "tokens_predicted": 2, "tokens_evaluated": 5}),
)


@STREAMED
@pytest.mark.parametrize(
    ("fields", "steps", "endpoint"),
    [({"raw": True}, RAW, "/v1/completions"), ({"suffix": "end"}, INFILL, "/infill")],
    ids=["raw", "suffix"],
)
async def test_ollama_generate_past_the_template(
    fields: dict[str, Any], steps: tuple[bytes, ...], endpoint: str, stream: bool
) -> None:
    async with running_gateway(Script(steps)) as gateway:
        response = await ask(gateway, "/api/generate", GENERATE | fields | {"stream": stream})
        (request,) = gateway.inference.requests
    documents = lines(response) if stream else [response.json()]
    assert "".join(document["response"] for document in documents) == "ab"
    last = documents[-1]
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("length", 5, 2)
    assert request.endpoint == endpoint


@pytest.mark.parametrize("failure", [data({"error": {"message": "no memory"}}), b"data: x\n\n", b""], ids=repr)
async def test_ollama_raw_stream_that_breaks_ends_in_an_error(failure: bytes) -> None:
    async with running_gateway(Script([RAW[0], failure])) as gateway:
        said, last = lines(await ask(gateway, "/api/generate", GENERATE | {"raw": True}))
    assert said["response"] == "a"
    assert "error" in last


@STREAMED
@BOTH
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable(retry_after=3), 503),
        (EngineFailed(reason="/home/somebody/x: gone"), 500),
        (ValueError("/home/somebody"), 500),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_ollama_error_before_the_answer_has_a_status(
    error: BaseException, status: int, path: str, body: dict[str, Any], stream: bool
) -> None:
    async with running_gateway(Script(refuse=error)) as gateway:
        response = await ask(gateway, path, body | {"stream": stream})
    assert response.status == status
    error_of(response)
    assert b"somebody" not in response.body
    if isinstance(error, LlameroError) and error.retry_after:
        assert response.headers["retry-after"] == "3"


@STREAMED
@BOTH
async def test_ollama_refusal_of_the_engine_is_an_error(path: str, body: dict[str, Any], stream: bool) -> None:
    refusal = Script([b'{"error": {"message": "too long", "type": "invalid_request_error"}}'], 400, {})
    async with running_gateway(refusal) as gateway:
        response = await ask(gateway, path, body | {"stream": stream})
    assert response.status == 400
    assert "too long" in error_of(response)["error"]


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamFailed(reason="the engine died"),
        RuntimeError("a bug"),
        data({"error": {"message": "out of memory", "code": 500}}),
        b"data: nonsense\n\n",
        b"",
    ],
    ids=["engine", "crash", "error event", "no JSON", "end in the middle"],
)
@BOTH
async def test_ollama_error_in_the_stream_is_its_last_line(failure: Any, path: str, body: dict[str, Any]) -> None:
    async with running_gateway(Script([event("a"), failure])) as gateway:
        said, last = lines(await ask(gateway, path, body))
        whole = await ask(gateway, path, body | {"stream": False})
    assert said["done"] is False
    assert isinstance(last["error"], str)
    assert whole.status in (500, 502)
    error_of(whole)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/api/chat", {"messages": []}, "model"),
        ("/api/chat", CHAT | {"options": {"stop": 5}}, "options.stop"),
        ("/api/generate", GENERATE | {"options": {"stop": ["a", 5]}}, "options.stop"),
        ("/api/chat", CHAT | {"options": {"temperature": 9}}, "options.temperature"),
        ("/api/chat", CHAT | {"options": {"num_predict": 2**40}}, "options.num_predict"),
        ("/api/chat", CHAT | {"options": {"typical_p": 1e300}}, "options.typical_p"),
        ("/api/chat", CHAT | {"options": {"seed": 2**70}}, "options.seed"),
        ("/api/generate", GENERATE | {"options": {"min_p": -1e300}}, "options.min_p"),
        ("/api/chat", CHAT | {"keep_alive": "soon"}, "keep_alive"),
        ("/api/chat", {"model": "m", "keep_alive": "soon"}, "keep_alive"),
        ("/api/generate", {"prompt": "hi"}, "model"),
        ("/api/generate", GENERATE | {"images": ["http://x/"]}, "images"),
        ("/api/embed", {"model": "m"}, "input"),
        ("/api/embed", {"model": "m", "input": [1]}, "input[0]"),
        ("/api/embeddings", {"prompt": "a"}, "model"),
        ("/api/show", {}, "model"),
    ],
    ids=str,
)
async def test_ollama_bad_request_names_the_field(path: str, body: Any, param: str) -> None:
    async with running_gateway() as gateway:
        response = await ask(gateway, path, body)
        assert gateway.inference.requests == []
    assert response.status == 400
    assert error_of(response)["param"] == param


@pytest.mark.parametrize(
    ("path", "body"),
    [("/api/chat", CHAT), ("/api/generate", GENERATE), ("/api/embed", {"input": "a"}), ("/api/show", {})],
    ids=str,
)
async def test_ollama_unknown_model_is_not_found(path: str, body: dict[str, Any]) -> None:
    async with running_gateway() as gateway:
        response = await ask(gateway, path, body | {"model": "nobody:latest"})
    assert response.status == 404
    assert error_of(response)["code"] == "model_not_found"


async def test_ollama_refusals_before_the_route_speak_the_dialect() -> None:
    key = {"Authorization": "Bearer secret"}
    async with running_gateway(key="secret", limits=Limits(max_body_bytes=100)) as gateway:
        assert (await send(gateway, "GET", "/")).body == b"Ollama is running"
        refused = await ask(gateway, "/api/chat", CHAT)
        assert refused.status == 401
        error_of(refused)
        too_large = await ask(gateway, "/api/chat", b" " * 200, **key)
        assert too_large.status == 413
        error_of(too_large)
        error_of(await ask(gateway, "/api/chat", b"not json", **key))
        assert (await send(gateway, "GET", "/api/chat", key)).status == 405
        pull = await ask(gateway, "/api/pull", {"model": "m"}, **key)
        assert pull.status == 404
        error_of(pull)
        foreign = await send(gateway, "GET", "/api/tags", key | {"Origin": "http://evil.example"})
        assert foreign.status == 403
        error_of(foreign)


@STREAMED
async def test_ollama_client_gone_frees_the_engine(stream: bool) -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(CHAT | {"stream": stream}).encode()
        writer.write(request_bytes("POST", "/api/chat", {"Host": gateway.host}, body))
        if stream:
            await reader.readuntil(b'"done":false')
        else:
            await eventually(lambda: gateway.inference.open == 1)
        writer.close()
        assert await eventually(lambda: gateway.inference.open == 0) < 0.2


@STREAMED
async def test_ollama_shutdown_is_told(stream: bool) -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(CHAT | {"stream": stream}).encode()
        writer.write(request_bytes("POST", "/api/chat", {"Host": gateway.host}, body))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        await gateway.server.stop()
        response = await read_response(reader)
        writer.close()
    last = lines(response)[-1] if stream else error_of(response)
    assert "server_error-shutting_down" in last["error"]
