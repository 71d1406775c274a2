"""The way of an engine's reply to the client: unchanged, at once, held by slow readers, ended by gone ones."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import pytest

from llamero.models.errors import UpstreamFailed
from tests.gateway.harness import (
    CHAT,
    WAIT_S,
    Gateway,
    Script,
    chat,
    event,
    eventually,
    exchange,
    forever,
    read_chunk,
    read_response,
    request_bytes,
    running_gateway,
    send,
)

JSON = {"Content-Type": "application/json"}
GONE_WITHIN_S = 0.2


@asynccontextmanager
async def streaming(
    gateway: Gateway, headers: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Post a chat request and read the head of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        body = json.dumps(CHAT | {"stream": True}).encode()
        writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host, **(headers or {})}, body))
        yield reader, writer
    finally:
        writer.close()


async def read_head(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(WAIT_S):
        return await reader.readuntil(b"\r\n\r\n")


async def test_events_arrive_at_once_and_byte_for_byte() -> None:
    chunks = [
        b": ping\n\n",
        b"data: {}\r\n\r\ndata: two\r\rdata: three\n\n",
        b"event: injected\nid: 7\ndata: a\ndata: b\n\n",
        b'data: {"raw": "\xff\xfe not UTF-8"}\n\n',
        'data: {"emoji": "🦙"}\n\n'.encode(),
    ]
    received = [asyncio.Event() for _ in chunks]

    def wait_for(gate: asyncio.Event) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            await gate.wait()

        return step

    steps = [step for chunk, gate in zip(chunks, received, strict=True) for step in (chunk, wait_for(gate))]
    async with running_gateway(Script(steps)) as gateway, streaming(gateway) as (reader, _):
        head = (await read_head(reader)).lower()
        assert b"content-type: text/event-stream\r\n" in head
        assert b"cache-control: no-cache\r\n" in head
        assert b"x-accel-buffering: no\r\n" in head
        for chunk, gate in zip(chunks, received, strict=True):
            async with asyncio.timeout(WAIT_S):
                assert await read_chunk(reader) == chunk  # the engine waits until it is here
            gate.set()
        assert await read_chunk(reader) == b""


async def test_event_of_a_megabyte_passes_whole() -> None:
    large = event("x" * 1_000_000)
    async with running_gateway(Script([large, b"data: [DONE]\n\n"])) as gateway:
        response = await chat(gateway, CHAT | {"stream": True})
    assert response.body == large + b"data: [DONE]\n\n"


async def test_slow_reader_holds_the_engine_and_loses_nothing() -> None:
    chunk = b"data: " + b"x" * 4088 + b"\n\n"
    script = Script([chunk] * 256)
    async with running_gateway(script, kernel_buffer=8192) as gateway:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", gateway.port))
        reader, writer = await asyncio.open_connection(sock=client, limit=1024)
        writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, json.dumps(CHAT).encode()))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        for _ in range(500):
            await asyncio.sleep(0)
            assert gateway.inference.sent_bytes <= 256 * 1024
        assert gateway.inference.open == 1
        body = (await read_response(reader)).body
        writer.close()
    assert body == chunk * 256


async def test_client_gone_cancels_the_engine_within_200_ms() -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        async with streaming(gateway) as (reader, _):
            await read_head(reader)
            assert await read_chunk(reader) == event("a")
            assert gateway.inference.open == 1
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


async def test_client_gone_before_the_first_byte_cancels_the_engine() -> None:
    async with running_gateway(Script([forever])) as gateway:
        async with streaming(gateway):
            await eventually(lambda: gateway.inference.open == 1)
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


async def test_client_gone_while_a_whole_answer_is_made_cancels_the_engine() -> None:
    async with running_gateway(Script([b"{", forever], headers=JSON)) as gateway:
        async with streaming(gateway):
            await eventually(lambda: gateway.inference.open == 1)
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


async def test_slow_reader_gone_cancels_the_engine() -> None:
    async with running_gateway(Script([event("x" * 60_000)] * 10_000)) as gateway:
        async with streaming(gateway) as (reader, writer):
            await read_head(reader)
            await eventually(lambda: gateway.inference.open == 1)
            writer.transport.abort()
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (UpstreamFailed(reason="lost /home/somebody/engine"), "upstream_error", "server_error-client_error"),
        (ZeroDivisionError("/home/somebody/x.py"), "internal_server_error", "internal_error"),
    ],
)
async def test_failure_in_mid_stream_is_one_last_event_without_done(
    failure: BaseException, kind: str, code: str
) -> None:
    async with running_gateway(Script([event("a"), failure])) as gateway:
        response = await chat(gateway, CHAT | {"stream": True})
        assert gateway.inference.open == 0
        assert (await chat(gateway, {"model": "m"})).status == 400  # still serving
    assert response.status == 200
    first, last, rest = response.body.split(b"\n\n")
    assert first + b"\n\n" == event("a")
    assert rest == b""
    error = json.loads(last.removeprefix(b"data: "))["error"]
    assert (error["type"], error["code"]) == (kind, code)
    assert b"[DONE]" not in response.body
    assert b"somebody" not in response.body


async def test_failure_before_the_first_event_of_an_open_stream_is_an_event() -> None:
    async with running_gateway(Script([UpstreamFailed(reason="x")])) as gateway:
        response = await chat(gateway, CHAT | {"stream": True})
    assert response.status == 200
    assert response.body.startswith(b'data: {"error":')


async def test_whole_answer_passes_status_type_and_body() -> None:
    script = Script([b'{"id": ', b'"x"}'], status=201, headers={"content-type": "application/json; charset=utf-8"})
    async with running_gateway(script) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 201
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    assert response.body == b'{"id": "x"}'


async def test_large_answer_passes_whole() -> None:
    async with running_gateway(Script([b"x" * 700_000] * 5, headers=JSON)) as gateway:
        assert (await chat(gateway, CHAT)).body == b"x" * 3_500_000


async def test_whole_answer_that_breaks_off_is_an_error_and_not_half_a_body() -> None:
    async with running_gateway(Script([b'{"id": ', UpstreamFailed(reason="x")], headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 502
    assert response.error()["type"] == "upstream_error"


async def test_large_answer_that_breaks_off_cuts_the_connection() -> None:
    async with running_gateway(Script([b"x" * 2_000_000, UpstreamFailed(reason="x")], headers=JSON)) as gateway:
        with pytest.raises(asyncio.IncompleteReadError):
            await chat(gateway, CHAT)
        assert (await chat(gateway, {"model": "m"})).status == 400


async def test_engine_headers_do_not_pass() -> None:
    headers = {
        "Content-Type": "text/event-stream",
        "Access-Control-Allow-Origin": "https://evil.example",
        "Access-Control-Allow-Credentials": "true",
        "Set-Cookie": "a=b",
        "Server": "llama.cpp",
        "X-Custom": "1",
    }
    async with running_gateway(Script(headers=headers)) as gateway:
        response = await chat(gateway, CHAT)
    assert set(response.headers) == {
        "content-type",
        "cache-control",
        "x-accel-buffering",
        "transfer-encoding",
        "date",
        "server",
        "x-content-type-options",
        "referrer-policy",
        "cross-origin-resource-policy",
        "content-security-policy",
        "cross-origin-opener-policy",
    }
    assert response.headers["server"] == "Llamero"


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Failed to parse messages: Missing 'role' in message: {}", "messages"),
        ("Failed to parse tools: Expected 'tools' to be an array, got 5; tools = 5", "tools"),
        ("image input is not supported - hint: if this is unexpected, you may need to provide the mmproj", "messages"),
        ("Unknown reasoning format: x", "reasoning_format"),
        ("Expected 'content' to be a string or an array", "messages"),
        ("All non-assistant messages must contain 'content'", "messages"),
        ("Assistant message must contain either 'content' or 'tool_calls'!", "messages"),
        ("unsupported content[].type", "messages"),
        ("Cannot have 2 or more assistant messages at the end of the list.", "messages"),
        ("Cannot continue an assistant message that contains tool calls.", "messages"),
    ],
)
async def test_request_that_the_engine_cannot_read_is_the_clients_fault(message: str, param: str) -> None:
    said = {"error": {"code": 500, "message": message, "type": "server_error"}}
    async with running_gateway(Script([json.dumps(said).encode()], status=500, headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 400
    error = response.error()
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "invalid_request", param)
    assert message in error["message"]


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Field 'n': Value must be between 1 <= value <= 4, but got 5", "n"),
        ("Field 'cache_prompt': [json.exception.type_error.302] type must be boolean, but is string", "cache_prompt"),
        ("Expected 'messages' to be an array", "messages"),
        ('"input" must not be empty', "input"),
        ('"documents" must be a non-empty string array', "documents"),
        ("Invalid tool_choice: nope", "tool_choice"),
        ('response_format type must be one of "text" or "json_object", but got: zzz', "response_format"),
        # A grammar may have come as such, or as a schema by one of two names.
        ("Failed to initialize samplers: failed to parse grammar", None),
        ("Field 'x y': what a request cannot have", None),
        ("The user wrote: Field 'n': of no matter", None),
    ],
)
async def test_refusal_of_the_engine_names_the_field_where_it_says_so(message: str, param: str | None) -> None:
    said = {"error": {"code": 400, "message": message, "type": "invalid_request_error"}}
    async with running_gateway(Script([json.dumps(said).encode()], status=400, headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
        in_anthropics = await send(
            gateway, "POST", "/v1/messages", {}, json.dumps(CHAT | {"max_tokens": 5, "stream": False}).encode()
        )
    assert (response.status, response.error()["param"], response.error()["message"]) == (400, param, message)
    assert response.error()["code"] == "invalid_request"
    assert (in_anthropics.status, in_anthropics.json()["error"].get("param")) == (400, param)


async def test_failure_of_the_engine_is_not_blamed_on_a_field() -> None:
    said = {"error": {"code": 500, "message": "Field 'n': of the engine's own", "type": "server_error"}}
    async with running_gateway(Script([json.dumps(said).encode()], status=500, headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
    assert (response.status, response.error()["param"]) == (500, None)


async def test_refusal_of_the_engine_is_reshaped_and_keeps_what_it_says() -> None:
    said = {
        "error": {
            "code": 400,
            "message": "the request exceeds the available context size",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 9000,
            "n_ctx": 4096,
        }
    }
    async with running_gateway(Script([json.dumps(said).encode()], status=400, headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 400
    assert response.error() == {
        "message": "the request exceeds the available context size",
        "type": "exceed_context_size_error",
        "code": "context_length_exceeded",
        "param": None,
        "n_prompt_tokens": 9000,
        "n_ctx": 4096,
    }


@pytest.mark.parametrize(
    ("status", "body", "expected_status", "kind"),
    [
        (503, b'{"error":{"message":"Loading model","type":"unavailable_error","code":503}}', 503, "unavailable_error"),
        (500, b'{"error":{"message":"bad /home/somebody/x.cpp:7\\nframe"}}', 500, "internal_server_error"),
        (500, b'{"error":{"message":"Traceback (most recent call last): somebody"}}', 500, "internal_server_error"),
        (500, b'{"error":{"message":"m","trace":"somebody"}}', 500, "internal_server_error"),
        (500, b"<html>somebody</html>", 500, "internal_server_error"),
        (418, b'{"error":"only a text"}', 418, "invalid_request_error"),
        (404, b"", 404, "not_found_error"),
        (302, b"", 502, "upstream_error"),
        (400, b"[" * 100_000, 400, "invalid_request_error"),
    ],
)
async def test_refusal_of_any_form_is_typed_and_without_paths(
    status: int, body: bytes, expected_status: int, kind: str
) -> None:
    async with running_gateway(Script([body], status=status, headers=JSON)) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == expected_status
    assert response.error()["type"] == kind
    assert b"somebody" not in response.body
    assert ("retry-after" in response.headers) == (status == 503)


async def test_connection_is_used_again_after_a_stream() -> None:
    body = json.dumps(CHAT).encode()
    async with running_gateway() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for _ in range(3):
            writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
            assert (await read_response(reader)).body.endswith(b"data: [DONE]\n\n")
        writer.close()


async def test_client_of_http_1_0_gets_its_stream_up_to_the_end_of_the_connection() -> None:
    body = json.dumps(CHAT).encode()
    async with running_gateway() as gateway:
        raw = request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body)
        response = await exchange(gateway.port, raw.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert response.body == event("a") + event("b") + b"data: [DONE]\n\n"


async def test_client_gone_in_the_middle_of_a_write_is_no_incident(caplog: pytest.LogCaptureFixture) -> None:
    """A client may leave between two writes of ours, before anything has told us so."""
    client = socket.socket()

    async def leave() -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    async with running_gateway(Script([event("a"), leave, *[event("b")] * 4])) as gateway:
        client.connect(("127.0.0.1", gateway.port))
        body = json.dumps(CHAT | {"stream": True}).encode()
        client.sendall(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
        await eventually(lambda: len(gateway.inference.requests) == 1 and gateway.inference.open == 0)
    assert "incident" not in caplog.text
