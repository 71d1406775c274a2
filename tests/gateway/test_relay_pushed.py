"""Replies that push what arrives: the client gets the same as from those that are iterated, and holds them the same."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable

import pytest

from llamero.gateway.protocols import Sink
from llamero.models.errors import UpstreamFailed
from tests.gateway.harness import (
    CHAT,
    WAIT_S,
    Script,
    ScriptedReply,
    chat,
    event,
    eventually,
    exchange,
    forever,
    read_chunk,
    read_response,
    request_bytes,
    running_gateway,
)
from tests.gateway.test_relay import GONE_WITHIN_S, read_head, streaming

HELD_AT_MOST = 256 * 1024


class PouringScriptedReply(ScriptedReply):
    """A scripted reply that pushes, and waits for room where it is told to."""

    async def pour(self, sink: Sink) -> None:
        async for data in self:
            if not sink.write(data):
                await sink.drained()


async def test_pushed_events_arrive_at_once_and_byte_for_byte() -> None:
    chunks = [b": ping\n\n", b'data: {"raw": "\xff\xfe not UTF-8"}\n\n', 'data: {"emoji": "🦙"}\n\n'.encode()]
    received = [asyncio.Event() for _ in chunks]

    def wait_for(gate: asyncio.Event) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            await gate.wait()

        return step

    steps = [step for chunk, gate in zip(chunks, received, strict=True) for step in (chunk, wait_for(gate))]
    async with running_gateway(Script(steps), reply=PouringScriptedReply) as gateway, streaming(gateway) as (reader, _):
        await read_head(reader)
        for chunk, gate in zip(chunks, received, strict=True):
            async with asyncio.timeout(WAIT_S):
                assert await read_chunk(reader) == chunk  # the engine waits until it is here
            gate.set()
        assert await read_chunk(reader) == b""


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 1_000_000])
async def test_pushed_event_of_any_size_passes_whole_between_others(size: int) -> None:
    steps = [event("a"), b"x" * size, event("b"), b"y" * size, event("c")]
    steps = [step for step in steps if step]
    async with running_gateway(Script(steps), reply=PouringScriptedReply) as gateway:
        assert (await chat(gateway, CHAT)).body == b"".join(steps)


class ReplyThatEndsFull(ScriptedReply):
    """A connection that ends does not wait for room any more, and another one takes over."""

    async def pour(self, sink: Sink) -> None:
        async for data in self:
            sink.write(data)


async def test_events_pushed_without_waiting_for_room_keep_their_order() -> None:
    steps = [event("a"), event("x" * 200_000), event("b"), event("y" * 70_000), event("c")]
    async with running_gateway(Script(steps), reply=ReplyThatEndsFull) as gateway:
        assert (await chat(gateway, CHAT)).body == b"".join(steps)
    async with running_gateway(Script([*steps, UpstreamFailed(reason="lost")]), reply=ReplyThatEndsFull) as gateway:
        body = (await chat(gateway, CHAT | {"stream": True})).body
    assert body.startswith(b"".join(steps) + b'data: {"error":')


@pytest.mark.parametrize("size", [4096, 60_000, 300_000])
async def test_slow_reader_holds_what_is_pushed_and_loses_nothing(size: int) -> None:
    chunk = b"data: " + b"x" * (size - 8) + b"\n\n"
    script = Script([chunk] * (1024 * 1024 // size + 3))
    async with running_gateway(script, kernel_buffer=8192, reply=PouringScriptedReply) as gateway:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", gateway.port))
        reader, writer = await asyncio.open_connection(sock=client, limit=1024)
        writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, json.dumps(CHAT).encode()))
        await eventually(lambda: gateway.inference.sent_bytes > 0)
        for _ in range(500):
            await asyncio.sleep(0)
            assert gateway.inference.sent_bytes <= max(HELD_AT_MOST, size)
        assert gateway.inference.open == 1
        body = (await read_response(reader)).body
        writer.close()
    assert body == b"".join(script.steps)  # type: ignore[arg-type]


async def test_client_gone_ends_the_pushing_within_200_ms() -> None:
    async with running_gateway(Script([event("a"), forever]), reply=PouringScriptedReply) as gateway:
        async with streaming(gateway) as (reader, _):
            await read_head(reader)
            assert await read_chunk(reader) == event("a")
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


async def test_slow_reader_gone_ends_the_pushing() -> None:
    async with running_gateway(Script([event("x" * 60_000)] * 10_000), reply=PouringScriptedReply) as gateway:
        async with streaming(gateway) as (reader, writer):
            await read_head(reader)
            await eventually(lambda: gateway.inference.open == 1)
            writer.transport.abort()
        await eventually(lambda: gateway.inference.open == 0, within=GONE_WITHIN_S)


async def test_client_gone_in_the_middle_of_pushing_is_no_incident(caplog: pytest.LogCaptureFixture) -> None:
    client = socket.socket()

    async def leave() -> None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()

    async with running_gateway(Script([event("a"), leave, *[event("b")] * 4]), reply=PouringScriptedReply) as gateway:
        client.connect(("127.0.0.1", gateway.port))
        body = json.dumps(CHAT | {"stream": True}).encode()
        client.sendall(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
        await eventually(lambda: len(gateway.inference.requests) == 1 and gateway.inference.open == 0)
    assert "incident" not in caplog.text
    assert "socket.send() raised" not in caplog.text


@pytest.mark.parametrize("failure", [UpstreamFailed(reason="lost"), ZeroDivisionError("x")])
async def test_failure_while_pushing_is_one_last_event_without_done(failure: BaseException) -> None:
    async with running_gateway(Script([event("a"), failure]), reply=PouringScriptedReply) as gateway:
        response = await chat(gateway, CHAT | {"stream": True})
    first, last, rest = response.body.split(b"\n\n")
    assert (first + b"\n\n", rest) == (event("a"), b"")
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"]


async def test_gateway_that_stops_tells_the_readers_of_what_is_pushed() -> None:
    async with (
        running_gateway(Script([event("a"), forever]), reply=PouringScriptedReply) as gateway,
        streaming(gateway) as (reader, _),
    ):
        await read_head(reader)
        assert await read_chunk(reader) == event("a")
        stopping = asyncio.create_task(gateway.server.stop())
        assert b"server_error-shutting_down" in await read_chunk(reader)
        assert await read_chunk(reader) == b""
        await stopping


async def test_connection_is_used_again_after_a_pushed_stream() -> None:
    body = json.dumps(CHAT).encode()
    async with running_gateway(reply=PouringScriptedReply) as gateway:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for _ in range(3):
            writer.write(request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, body))
            assert (await read_response(reader)).body.endswith(b"data: [DONE]\n\n")
        writer.close()


async def test_client_of_http_1_0_gets_what_is_pushed_without_chunks() -> None:
    async with running_gateway(reply=PouringScriptedReply) as gateway:
        raw = request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, json.dumps(CHAT).encode())
        response = await exchange(gateway.port, raw.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert response.body == event("a") + event("b") + b"data: [DONE]\n\n"
