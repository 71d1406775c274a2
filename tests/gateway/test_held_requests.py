"""Requests that have to wait: a client that wants events is kept company, everybody else is simply held."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llamero.gateway.limits import Limits
from llamero.models.errors import EngineFailed, LlameroError, ModelDoesNotEmbed, Unavailable
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import (
    CHAT,
    WAIT_S,
    Gateway,
    Script,
    event,
    eventually,
    forever,
    read_chunk,
    read_response,
    request_bytes,
    running_gateway,
    send,
)

IMPATIENT = Limits(silence_s=0.01)
STREAMED = CHAT | {"stream": True}
COMPLETION = {"model": "m", "prompt": "hi", "stream": True}
COMMENT = b":\n\n"


def test_client_that_waits_hears_something_every_ten_seconds_by_default() -> None:
    assert Limits().silence_s == Limits.from_settings(GatewaySettings()).silence_s == 10


@asynccontextmanager
async def asked(
    gateway: Gateway, path: str, body: object
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(request_bytes("POST", path, {"Host": gateway.host}, json.dumps(body).encode()))
        yield reader, writer
    finally:
        writer.close()


@asynccontextmanager
async def conversation(
    script: Script, body: object = STREAMED, path: str = "/v1/chat/completions"
) -> AsyncIterator[tuple[Gateway, asyncio.StreamReader]]:
    """A gateway of little patience, and a client that has asked it."""
    async with running_gateway(script, limits=IMPATIENT) as gateway, asked(gateway, path, body) as (reader, _):
        yield gateway, reader


async def first_comment(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(WAIT_S):
        head = await reader.readuntil(b"\r\n\r\n")
    assert await read_chunk(reader) == COMMENT
    return head


async def rest_of(reader: asyncio.StreamReader) -> bytes:
    received = b""
    while piece := await read_chunk(reader):
        received += piece
    return received.replace(COMMENT, b"")


@pytest.mark.parametrize(("path", "body"), [("/v1/chat/completions", STREAMED), ("/v1/completions", COMPLETION)])
async def test_client_of_events_hears_comments_while_a_model_loads_and_then_its_answer(
    path: str, body: dict[str, object]
) -> None:
    script = Script(opening=asyncio.Event())
    async with conversation(script, body, path) as (_, reader):
        head = await first_comment(reader)
        assert b"HTTP/1.1 200 " in head
        assert b"text/event-stream" in head
        script.open_now()
        assert await rest_of(reader) == event("a") + event("b") + b"data: [DONE]\n\n"


async def test_client_of_events_is_told_an_error_as_an_event_once_it_was_held() -> None:
    script = Script(opening=asyncio.Event(), refuse=EngineFailed(reason="no"))
    async with conversation(script) as (_, reader):
        await first_comment(reader)
        script.open_now()
        raw = await rest_of(reader)
    error = json.loads(raw.removeprefix(b"data: "))["error"]
    assert error["code"] == "server_error-startup_error"
    assert b"[DONE]" not in raw


async def test_refusal_of_the_engine_is_an_event_in_our_envelope_once_the_client_was_held() -> None:
    said = {"error": {"code": 400, "message": "too long", "type": "exceed_context_size_error", "n_ctx": 9}}
    script = Script(
        [json.dumps(said).encode()], status=400, headers={"Content-Type": "application/json"}, opening=asyncio.Event()
    )
    async with conversation(script) as (_, reader):
        await first_comment(reader)
        script.open_now()
        raw = await rest_of(reader)
    error = json.loads(raw.removeprefix(b"data: "))["error"]
    assert (error["code"], error["param"], error["n_ctx"]) == ("context_length_exceeded", None, 9)


@pytest.mark.parametrize("body", [CHAT, CHAT | {"stream": False}, CHAT | {"stream": None}], ids=str)
async def test_client_of_a_whole_answer_is_simply_held(body: dict[str, object]) -> None:
    script = Script([b"{}"], headers={"Content-Type": "application/json"}, opening=asyncio.Event())
    async with conversation(script, body) as (gateway, reader):
        await eventually(lambda: len(gateway.inference.requests) == 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await reader.read(1)
        script.open_now()
        response = await read_response(reader)
    assert (response.status, response.body) == (200, b"{}")


async def test_pause_in_mid_answer_is_filled_with_comments() -> None:
    script = Script([event("a"), forever])
    async with conversation(script) as (_, reader):
        async with asyncio.timeout(WAIT_S):
            await reader.readuntil(b"\r\n\r\n")
        assert await read_chunk(reader) == event("a")
        assert await read_chunk(reader) == COMMENT


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Unavailable("server_error-queue_full", retry_after=5.0), 503),
        (ModelDoesNotEmbed(model="m", param="model"), 400),
    ],
)
async def test_error_that_comes_at_once_keeps_its_status(error: LlameroError, status: int) -> None:
    async with running_gateway(Script(refuse=error)) as gateway:
        response = await send(gateway, "POST", "/v1/chat/completions", {}, json.dumps(STREAMED).encode())
    assert response.status == status
    assert ("retry-after" in response.headers) == (status == 503)


async def test_client_gone_while_it_is_held_leaves_nothing_behind() -> None:
    script = Script(opening=asyncio.Event())
    async with running_gateway(script, limits=IMPATIENT) as gateway:
        before = len(asyncio.all_tasks())
        async with asked(gateway, "/v1/chat/completions", STREAMED) as (reader, _):
            await first_comment(reader)
            assert gateway.inference.waiting == 1
        await eventually(lambda: gateway.inference.waiting == 0, within=0.2)
        await eventually(lambda: len(asyncio.all_tasks()) <= before)


async def test_gateway_that_closes_tells_a_held_client_why() -> None:
    script = Script(opening=asyncio.Event())
    async with conversation(script) as (gateway, reader):
        await first_comment(reader)
        stopping = asyncio.create_task(gateway.server.stop())
        raw = await rest_of(reader)
        await stopping
    assert json.loads(raw.removeprefix(b"data: "))["error"]["code"] == "server_error-shutting_down"
