"""Starting and stopping, and the limits that answer before or instead of a route."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import socket

import pytest

from llamero.gateway.limits import Limits
from tests.gateway.harness import (
    CHAT,
    WAIT_S,
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
from tests.gateway.test_relay import read_head, streaming

SMALL = Limits(max_body_bytes=1000, max_streams=2, head_timeout_s=0.15, body_timeout_s=0.15, max_header_bytes=4096)
CHAT_TARGET = "/v1/chat/completions"


async def test_stop_ends_open_streams_promptly_with_an_error_event() -> None:
    loop = asyncio.get_running_loop()
    async with running_gateway(Script([event("a"), forever])) as gateway, streaming(gateway) as (reader, _):
        await read_head(reader)
        assert await read_chunk(reader) == event("a")
        started = loop.time()
        await gateway.server.stop()
        assert loop.time() - started < 1
        last = await read_chunk(reader)
        assert json.loads(last.removeprefix(b"data: "))["error"]["type"] == "service_unavailable"
        assert await read_chunk(reader) == b""
        assert await reader.read() == b""
        assert gateway.inference.open == 0


async def test_stop_answers_a_request_that_has_no_byte_yet() -> None:
    script = Script([forever], headers={"Content-Type": "application/json"})
    async with running_gateway(script) as gateway, streaming(gateway) as (reader, _):
        await eventually(lambda: gateway.inference.open == 1)
        await gateway.server.stop()
        response = await read_response(reader)
    assert response.status == 503
    assert response.headers["retry-after"] == "1"


async def test_stop_does_not_wait_for_a_reader_that_never_reads() -> None:
    loop = asyncio.get_running_loop()
    async with running_gateway(Script([event("x" * 60_000)] * 10_000)) as gateway, streaming(gateway) as (reader, _):
        await read_head(reader)
        started = loop.time()
        await gateway.server.stop()
        assert loop.time() - started < 3
        assert gateway.inference.open == 0


async def test_stop_twice_and_with_idle_connections_is_clean() -> None:
    async with running_gateway() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        await gateway.server.stop()
        await gateway.server.stop()
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(OSError):
            await asyncio.open_connection("127.0.0.1", gateway.port)


async def test_server_leaves_no_task_and_no_socket() -> None:
    before = asyncio.all_tasks()
    async with running_gateway(Script([event("a"), forever])) as gateway:
        async with streaming(gateway) as (reader, _):
            await read_head(reader)
        port = gateway.port
    await eventually(lambda: asyncio.all_tasks() <= before)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


async def test_body_declared_too_large_is_refused_without_being_read() -> None:
    async with running_gateway(limits=SMALL) as gateway:
        headers = {"Host": gateway.host, "Content-Length": "1001"}
        response = await exchange(gateway.port, request_bytes("POST", CHAT_TARGET, headers))  # no body follows
    assert response.status == 413
    assert response.error()["code"] == "payload_too_large"
    assert response.headers["connection"] == "close"


async def test_body_without_length_is_refused_at_the_limit() -> None:
    async with running_gateway(limits=SMALL) as gateway:
        head = request_bytes("POST", CHAT_TARGET, {"Host": gateway.host, "Transfer-Encoding": "chunked"})
        response = await exchange(gateway.port, head + b"400\r\n" + b" " * 1024 + b"\r\n")  # and no end
    assert response.status == 413


async def test_body_in_broken_chunks_is_refused() -> None:
    async with running_gateway() as gateway:
        head = request_bytes("POST", CHAT_TARGET, {"Host": gateway.host, "Transfer-Encoding": "chunked"})
        response = await exchange(gateway.port, head + b"zz\r\n{}\r\n0\r\n\r\n")
    assert response.status == 400
    assert response.error()["type"] == "invalid_request_error"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "GZIP"])
async def test_packed_body_is_refused(encoding: str) -> None:
    async with running_gateway() as gateway:
        body = gzip.compress(json.dumps(CHAT).encode())
        response = await chat(gateway, body, {"Content-Encoding": encoding})
    assert response.status == 415
    assert response.error()["code"] == "unsupported_media_type"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize(("depth", "status"), [(62, 200), (63, 400), (5000, 400), (100_000, 400)])
async def test_json_depth_beyond_64_is_refused(opening: bytes, depth: int, status: int) -> None:
    closing = b"]" if opening == b"[" else b"}"
    inner = b'{"x":' + opening * depth + b"1" + closing * depth + b"}"
    async with running_gateway() as gateway:
        response = await chat(gateway, b'{"model":"m","messages":[],"x":' + inner + b"}")
    assert response.status == status
    assert status == 200 or "too_deep" in response.error()["message"]


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_body_that_is_too_deep_is_refused_without_being_read_to_the_end(declared: bool) -> None:
    text = b'"' + b'[{\\"' * 100 + b'",'  # brackets within a text nest nothing
    begun = b'{"model":"m","messages":[],"x":[' + text + b"[" * 63  # and no end
    async with running_gateway() as gateway:
        framing = {"Content-Length": "1000000"} if declared else {"Transfer-Encoding": "chunked"}
        head = request_bytes("POST", CHAT_TARGET, {"Host": gateway.host} | framing)
        response = await exchange(gateway.port, head + (begun if declared else b"%x\r\n%b\r\n" % (len(begun), begun)))
    assert response.status == 400
    assert "too_deep" in response.error()["message"]
    assert response.headers["connection"] == "close"


async def test_headers_that_never_end_are_answered_408() -> None:
    async with running_gateway(limits=SMALL) as gateway:
        response = await exchange(gateway.port, b"GET /health HTTP/1.1\r\nHost: ")
    assert response.status == 408
    assert response.error()["type"] == "request_timeout_error"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_body_that_never_ends_is_answered_408() -> None:
    async with running_gateway(limits=SMALL) as gateway:
        headers = {"Host": gateway.host, "Content-Length": "100"}
        response = await exchange(gateway.port, request_bytes("POST", CHAT_TARGET, headers) + b"{")
    assert response.status == 408


async def test_idle_connection_outlives_the_limit_on_slow_headers() -> None:
    async with running_gateway(limits=SMALL) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        ask = request_bytes("GET", "/health", {"Host": gateway.host})
        for _ in range(2):
            writer.write(ask + b"\r\n")
            assert (await read_response(reader)).status == 200
            with pytest.raises(TimeoutError):  # nothing is said on it for longer than that limit
                async with asyncio.timeout(SMALL.head_timeout_s * 2):
                    await reader.read(1)
        writer.close()


async def test_connection_never_used_is_closed_after_the_idle_limit() -> None:
    async with running_gateway(limits=Limits(idle_timeout_s=0.1)) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        async with asyncio.timeout(WAIT_S):
            assert await reader.read() == b""
        writer.close()


async def test_streams_beyond_the_limit_are_answered_429_and_then_let_in() -> None:
    async with running_gateway(Script([event("a"), forever]), limits=SMALL) as gateway:
        async with streaming(gateway) as (first, _), streaming(gateway) as (second, _):
            await read_head(first)
            await read_head(second)
            response = await chat(gateway, CHAT)
            assert response.status == 429
            assert response.headers["retry-after"] == "1"
            assert response.error()["code"] == "rate_limit_exceeded"
            assert (await send(gateway, "GET", "/health")).status == 200
        await eventually(lambda: gateway.inference.open == 0)
        gateway.inference.script = Script()
        assert (await chat(gateway, CHAT)).status == 200


@pytest.mark.parametrize(
    ("head", "status", "kind"),
    [
        (b"GET /health HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n", 431, "headers_too_large_error"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 431, "headers_too_large_error"),
        (b"GET /health HTTP/1.1\r\n" + b"X: 1\r\n" * 200 + b"\r\n", 400, "invalid_request_error"),
        (b"this is not HTTP\r\n\r\n", 400, "invalid_request_error"),
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03", 400, "invalid_request_error"),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n", 400, "invalid_request_error"),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "invalid_request_error"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "invalid_request_error"),
    ],
    ids=["long header", "long line", "many headers", "no HTTP", "TLS", "bad name", "two lengths", "negative length"],
)
async def test_request_that_cannot_be_parsed_is_typed_and_not_an_error_in_the_log(
    head: bytes, status: int, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with running_gateway(limits=SMALL) as gateway:
        response = await exchange(gateway.port, head)
    assert response.status == status
    assert response.error()["type"] == kind
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_expect_continue_is_invited_only_after_the_request_was_let_in() -> None:
    body = json.dumps(CHAT).encode()
    async with running_gateway() as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        length = str(len(body))
        headers = {"Host": gateway.host, "Expect": "100-continue", "Content-Length": length}
        writer.write(request_bytes("POST", CHAT_TARGET, headers))
        assert (await read_response(reader)).status == 100
        writer.write(body)
        assert (await read_response(reader)).status == 200
        writer.close()
        refused = await exchange(gateway.port, request_bytes("POST", CHAT_TARGET, headers | {"Host": "evil.example"}))
        assert refused.status == 403
        vast = await exchange(gateway.port, request_bytes("POST", CHAT_TARGET, headers | {"Content-Length": "9" * 12}))
        assert vast.status == 413
