"""The Messages API over a real socket: streams, whole answers, token counts, and every refusal in its own shape."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from llamero.gateway.limits import Limits
from llamero.models.errors import EngineFailed, LlameroError, StartTimedOut, Unavailable, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import (
    Gateway,
    RawResponse,
    Script,
    ScriptedReply,
    event,
    eventually,
    forever,
    read_response,
    request_bytes,
    running_gateway,
    send,
)
from tests.gateway.test_anthropic_translation import accumulated, events_of

ASK = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}
DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, *, end: str | None = None, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": end}
    return b"data: " + json.dumps({"choices": [choice], **fields}).encode() + b"\n\n"


END = (
    chunk(end="stop"),
    b'data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}\n\n',
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


async def ask(gateway: Gateway, body: object = ASK, path: str = "/v1/messages", **headers: str) -> RawResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await send(gateway, "POST", path, headers, raw)


def error_of(response: RawResponse, kind: str) -> dict[str, Any]:
    """The error of a response, whose shape is checked on the way."""
    document = response.json()
    assert set(document) == {"type", "error", "request_id"}
    assert document["type"] == "error"
    assert document["request_id"] == response.headers["request-id"]
    error: dict[str, Any] = document["error"]
    assert error["type"] == kind
    assert isinstance(error["message"], str)
    return error


async def test_anthropic_whole_answer_is_asked_as_a_stream() -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        response = await ask(gateway)
        (request,) = gateway.inference.requests
        assert gateway.inference.open == 0
    assert response.status == 200
    assert response.headers["request-id"].startswith("req_")
    message = response.json()
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "ab", "citations": None}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "output_tokens": 2,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
        },
    }
    assert request.model == "m"
    assert request.endpoint == "/v1/chat/completions"
    assert request.body["stream"] is True
    assert request.body["stream_options"] == {"include_usage": True}


async def test_anthropic_stream_has_every_event_in_order() -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        response = await ask(gateway, ASK | {"stream": True})
    assert response.status == 200
    assert response.headers["content-type"] == "text/event-stream"
    events = events_of(response.body)
    assert [name for name, _ in events] == [
        "message_start",
        "ping",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    message = accumulated(events)
    assert message["content"] == [{"type": "text", "text": "ab"}]
    assert message["usage"]["input_tokens"] == 5


@pytest.mark.parametrize("cut", range(1, 60, 7))
async def test_anthropic_stream_cut_anywhere_says_the_same(cut: int) -> None:
    raw = b"".join(CALLS)
    pieces = [raw[start : start + cut] for start in range(0, len(raw), cut)]
    async with running_gateway(Script(pieces)) as gateway:
        message = accumulated(events_of((await ask(gateway, ASK | {"stream": True})).body))
    assert message["content"] == [{"type": "tool_use", "id": "t0", "name": "time", "input": {"zone": 1}}]
    assert message["stop_reason"] == "tool_use"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("choice", "beside", "sequence"),
    [
        ({"stop_reason": "END"}, {}, "END"),  # vLLM
        ({"stop_reason": 7}, {}, None),
        ({}, {"__verbose": {"stopping_word": "END", "stop_type": "word"}}, "END"),  # llama-server
        ({}, {"__verbose": {"stopping_word": "<|im_end|>", "stop_type": "word"}}, None),  # its template's own
        ({}, {"__verbose": {"stopping_word": "", "stop_type": "eos"}}, None),
        ({}, {}, None),
    ],
    ids=str,
)
async def test_anthropic_stop_sequence_is_told_where_the_engine_tells_it(
    choice: Any, beside: Any, sequence: str | None, stream: bool
) -> None:
    end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", **choice}], **beside}
    steps = (event("a"), b"data: " + json.dumps(end).encode() + b"\n\n", DONE)
    async with running_gateway(Script(steps)) as gateway:
        response = await ask(gateway, ASK | {"stop_sequences": ["STOP", "END"], "stream": stream})
        (request,) = gateway.inference.requests
    message = accumulated(events_of(response.body)) if stream else response.json()
    assert message["stop_sequence"] == sequence
    assert message["stop_reason"] == ("stop_sequence" if sequence else "end_turn")
    assert (request.body["stop"], request.body["verbose"]) == (["STOP", "END"], True)
    assert request.engine_only == {"verbose"}


async def test_anthropic_field_that_a_client_sends_itself_is_not_for_engines_only() -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        await ask(gateway, ASK | {"stop_sequences": ["END"], "verbose": True})
        await ask(gateway)
        first, second = gateway.inference.requests
    assert (first.body["verbose"], first.engine_only) == (True, frozenset())
    assert "verbose" not in second.body


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (Unavailable(retry_after=3), 503, "overloaded_error"),
        (EngineFailed(reason="/home/somebody/x: gone"), 500, "api_error"),
        (UpstreamFailed(reason="broken"), 502, "api_error"),
        (StartTimedOut(seconds=1), 504, "timeout_error"),
        (ValueError("/home/somebody"), 500, "api_error"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_anthropic_error_before_the_answer_has_a_status(
    error: BaseException, status: int, kind: str, stream: bool
) -> None:
    async with running_gateway(Script(refuse=error)) as gateway:
        response = await ask(gateway, ASK | {"stream": stream})
    assert response.status == status
    error_of(response, kind)
    assert b"somebody" not in response.body
    if isinstance(error, LlameroError) and error.retry_after:
        assert response.headers["retry-after"] == "3"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, {"error": {"message": "no such template", "type": "invalid_request_error"}}, "invalid_request_error"),
        (
            400,
            {"error": {"type": "exceed_context_size_error", "message": "", "n_prompt_tokens": 9, "n_ctx": 5}},
            "invalid_request_error",
        ),
        (500, {"error": {"message": "out of memory", "type": "server_error"}}, "api_error"),
        (502, "Bad gateway", "api_error"),
        (503, {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, "overloaded_error"),
        (429, {"error": {"message": "slow down"}}, "rate_limit_error"),
    ],
    ids=["template", "context", "failure", "no JSON", "loading", "too fast"],
)
async def test_anthropic_refusal_of_the_engine_is_an_error(status: int, body: Any, kind: str, stream: bool) -> None:
    async with running_gateway(Script([json.dumps(body).encode()], status, {})) as gateway:
        response = await ask(gateway, ASK | {"stream": stream})
        assert gateway.inference.open == 0
    assert response.status == (502 if status == 500 else status)
    error_of(response, kind)


async def test_anthropic_image_for_a_model_that_does_not_see_is_the_requests_fault() -> None:
    said = {"error": {"code": 500, "message": "image input is not supported - hint: mmproj", "type": "server_error"}}
    async with running_gateway(Script([json.dumps(said).encode()], 500, {})) as gateway:
        response = await ask(gateway)
    assert response.status == 400
    error_of(response, "invalid_request_error")


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamFailed(reason="the engine died"),
        RuntimeError("a bug"),
        b'data: {"error":{"message":"out of memory","code":500}}\n\n',
        b"data: nonsense\n\n",
        b"",
    ],
    ids=["engine", "crash", "error event", "no JSON", "end in the middle"],
)
async def test_anthropic_error_in_the_stream_is_its_last_event(failure: Any) -> None:
    async with running_gateway(Script([event("a"), failure])) as gateway:
        streamed = await ask(gateway, ASK | {"stream": True})
        whole = await ask(gateway)
    names, documents = zip(*events_of(streamed.body), strict=True)
    assert names == ("message_start", "ping", "content_block_start", "content_block_delta", "error")
    assert documents[-1]["type"] == "error"
    assert documents[-1]["error"]["type"] == "api_error"
    assert whole.status in (500, 502)
    error_of(whole, "api_error")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"max_tokens": 1, "messages": []}, "model"),
        ({"model": "m", "messages": []}, "max_tokens"),
        ({"model": "m", "max_tokens": 5}, "messages"),
        (ASK | {"temperature": 3}, "temperature"),
        (ASK | {"top_k": -(2**40)}, "top_k"),
        (ASK | {"n_discard": -1}, "n_discard"),
        (ASK | {"min_p": 1e300}, "min_p"),
        (ASK | {"seed": 2**70}, "seed"),
    ],
    ids=str,
)
async def test_anthropic_bad_request_names_the_field(body: Any, param: str) -> None:
    async with running_gateway() as gateway:
        response = await ask(gateway, body)
        assert gateway.inference.requests == []
    assert response.status == 400
    assert error_of(response, "invalid_request_error")["param"] == param


async def test_anthropic_unknown_model_is_not_found() -> None:
    async with running_gateway() as gateway:
        response = await ask(gateway, ASK | {"model": "claude-nobody"})
    assert response.status == 404
    assert error_of(response, "not_found_error")["code"] == "model_not_found"


async def test_anthropic_refusals_before_the_route_speak_the_dialect() -> None:
    async with running_gateway(key="secret", limits=Limits(max_body_bytes=100)) as gateway:
        assert error_of(await ask(gateway), "authentication_error")
        assert error_of(await ask(gateway, b"not json", **{"x-api-key": "secret"}), "invalid_request_error")
        too_large = await ask(gateway, b" " * 200, **{"x-api-key": "secret"})
        assert error_of(too_large, "request_too_large")
        foreign = await ask(gateway, Origin="http://evil.example")
        assert error_of(foreign, "permission_error")
        wrong_method = await send(gateway, "GET", "/v1/messages", {"x-api-key": "secret"})
        assert wrong_method.status == 405
        assert error_of(wrong_method, "invalid_request_error")
        no_route = await send(gateway, "POST", "/v1/messages/batches", {"x-api-key": "secret"}, b"{}")
        assert error_of(no_route, "not_found_error")
        elsewhere = await send(gateway, "POST", "/v1/chat", {"x-api-key": "secret"}, b"{}")
        assert elsewhere.error()["code"] == "not_found"
    assert too_large.status == 413


async def test_anthropic_too_many_streams_are_limited() -> None:
    async with running_gateway(limits=Limits(max_streams=0), settings=GatewaySettings()) as gateway:
        response = await ask(gateway)
    assert response.status == 429
    assert response.headers["retry-after"]
    error_of(response, "rate_limit_error")


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropic_client_gone_frees_the_engine(stream: bool) -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(ASK | {"stream": stream}).encode()
        writer.write(request_bytes("POST", "/v1/messages", {"Host": gateway.host}, body))
        if stream:
            await reader.readuntil(b"text_delta")
        else:
            await eventually(lambda: gateway.inference.open == 1)
        writer.close()
        assert await eventually(lambda: gateway.inference.open == 0) < 0.2


@pytest.mark.parametrize("stream", [False, True])
async def test_anthropic_shutdown_is_told(stream: bool) -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(ASK | {"stream": stream}).encode()
        writer.write(request_bytes("POST", "/v1/messages", {"Host": gateway.host}, body))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        await gateway.server.stop()
        response = await read_response(reader)
        writer.close()
    if stream:
        name, document = events_of(response.body)[-1]
        assert name == "error"
        assert document["error"]["type"] == "overloaded_error"
    else:
        assert response.status == 503
        error_of(response, "overloaded_error")


async def test_anthropic_client_that_waits_for_a_model_hears_comments_and_then_the_error() -> None:
    script = Script(refuse=EngineFailed(reason="no memory"), opening=asyncio.Event())
    async with running_gateway(script, limits=Limits(silence_s=0.01)) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        body = json.dumps(ASK | {"stream": True}).encode()
        writer.write(request_bytes("POST", "/v1/messages", {"Host": gateway.host, "Connection": "close"}, body))
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"request-id: req_" in head
        await reader.readuntil(b":\n\n")
        script.open_now()
        last = (await reader.read()).decode()
        writer.close()
    assert 'event: error\ndata: {"type":"error","error":{"type":"api_error"' in last


@asynccontextmanager
async def counting_engine(gateway: Gateway, answers: dict[str, Script]) -> AsyncIterator[list[InferenceRequest]]:
    """Let the gateway's engine give each endpoint an answer of its own."""
    asked: list[InferenceRequest] = []

    @asynccontextmanager
    async def stream(request: InferenceRequest) -> AsyncIterator[ScriptedReply]:
        asked.append(request)
        yield ScriptedReply(answers[request.endpoint], gateway.inference)

    gateway.inference.stream = stream  # type: ignore[method-assign]
    yield asked


COUNTS = {
    "/apply-template": Script([b'{"prompt": "<user>hi"}'], 200, {}),
    "/tokenize": Script([b'{"tokens": [1, 2, 3]}'], 200, {}),
}


async def test_anthropic_count_is_that_of_the_engine() -> None:
    async with running_gateway() as gateway, counting_engine(gateway, COUNTS) as asked:
        tools = [{"name": "time", "input_schema": {"type": "object"}}]
        body = {"model": "m", "messages": ASK["messages"], "system": "s", "tools": tools}
        response = await ask(gateway, body, "/v1/messages/count_tokens")
    assert (response.status, response.json()) == (200, {"input_tokens": 3})
    template, tokenize = (request.body for request in asked)
    assert template["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]
    assert template["tools"]
    assert tokenize == {"model": "m", "content": "<user>hi", "add_special": True, "parse_special": True}


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_anthropic_count_of_a_server_that_cannot_count_is_refused(status: int) -> None:
    answers = COUNTS | {"/apply-template": Script([b"nothing here"], status, {})}
    async with running_gateway() as gateway, counting_engine(gateway, answers):
        response = await ask(gateway, {"model": "m", "messages": []}, "/v1/messages/count_tokens")
    assert response.status == 400
    assert error_of(response, "invalid_request_error")["param"] == "model"


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"tokens": "many"}', b"\xff"])
async def test_anthropic_count_that_is_none_is_an_error(answer: bytes) -> None:
    async with (
        running_gateway() as gateway,
        counting_engine(gateway, COUNTS | {"/tokenize": Script([answer], 200, {})}),
    ):
        response = await ask(gateway, {"model": "m", "messages": []}, "/v1/messages/count_tokens")
    assert response.status == 502
    error_of(response, "api_error")
