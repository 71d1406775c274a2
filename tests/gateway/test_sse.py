"""Events to a client: our own are safe whatever is in them, an engine's pass as they are, silence is broken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from llamero.gateway.sse import EventStream, comment_bytes, event_bytes
from llamero.services.llama.sse import SseSplitter
from tests.gateway.harness import WAIT_S, read_chunk, request_bytes

Answering = Callable[[EventStream], Awaitable[None]]


@given(st.text())
def test_direct_event_of_any_text_is_one_event_with_that_text(text: str) -> None:
    (event,) = SseSplitter().feed(event_bytes(text, name="message", event_id="7"))
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert event.data == lines.encode()
    assert event.name == b"message"


def test_direct_event_has_name_and_id_before_its_data() -> None:
    assert event_bytes(b"{}", name="ping", event_id="3") == b"event: ping\nid: 3\ndata: {}\n\n"
    assert event_bytes("a\nb\r\nc\rd") == b"data: a\ndata: b\ndata: c\ndata: d\n\n"


@pytest.mark.parametrize("evil", ["a\nevent: error", "a\rb", "a\0b"])
def test_direct_event_with_a_name_of_several_lines_is_refused(evil: str) -> None:
    with pytest.raises(ValueError, match="event's event"):
        event_bytes("x", name=evil)
    with pytest.raises(ValueError, match="event's id"):
        event_bytes("x", event_id=evil)


@given(st.text())
def test_comment_of_any_text_says_nothing(text: str) -> None:
    assert [event.data for event in SseSplitter().feed(comment_bytes(text))] == [None]


@asynccontextmanager
async def answered(answering: Answering, silence_s: float | None) -> AsyncIterator[asyncio.StreamReader]:
    """A client that has asked, and reads past the head once that is out."""

    async def handle(request: web.Request) -> web.StreamResponse:
        async with EventStream(request, silence_s=silence_s) as stream:
            await answering(stream)
            return await stream.end()

    app = web.Application()
    app.router.add_get("/", handle)
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    await web.SockSite(runner, listening).start()
    reader, writer = await asyncio.open_connection(*listening.getsockname())
    writer.write(request_bytes("GET", "/", {"Host": "x"}))
    try:
        yield reader
    finally:
        writer.close()
        await runner.cleanup()


async def past_head(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(WAIT_S):
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")


async def test_silence_is_broken_by_comments_until_something_is_said() -> None:
    go_on = asyncio.Event()

    async def answering(stream: EventStream) -> None:
        await go_on.wait()
        await stream.send_json({"a": 1}, name="n")

    async with answered(answering, 0.01) as reader:
        await past_head(reader)
        assert await read_chunk(reader) == b":\n\n"
        assert await read_chunk(reader) == b":\n\n"
        go_on.set()
        while (piece := await read_chunk(reader)) == b":\n\n":
            pass
        assert piece == b'event: n\ndata: {"a":1}\n\n'
        assert await read_chunk(reader) == b""


async def test_silence_after_the_first_words_is_broken_too() -> None:
    go_on = asyncio.Event()

    async def answering(stream: EventStream) -> None:
        await stream.forward(b"data: 1\r\n\r\n")
        await go_on.wait()

    async with answered(answering, 0.01) as reader:
        await past_head(reader)
        assert await read_chunk(reader) == b"data: 1\r\n\r\n"
        assert await read_chunk(reader) == b":\n\n"
        go_on.set()


async def test_comment_never_comes_within_an_event_that_a_slow_reader_holds_back() -> None:
    large = b"data: " + b"x" * 8_000_000 + b"\n\n"

    async def answering(stream: EventStream) -> None:
        await stream.forward(large)

    async with answered(answering, 0.001) as reader:
        await past_head(reader)
        received = b""
        while piece := await read_chunk(reader):
            received += piece
            await asyncio.sleep(0.002)
    assert received.replace(b":\n\n", b"") == large
    assert large in received


async def test_stream_withdrawn_before_its_head_leaves_the_answer_open() -> None:
    seen: list[bool] = []

    async def answering(stream: EventStream) -> None:
        seen.append(stream.withdraw())
        await stream.send("x")
        seen.append(stream.withdraw())

    async with answered(answering, 0.01) as reader:
        await past_head(reader)
        assert await read_chunk(reader) == b"data: x\n\n"
        assert await read_chunk(reader) == b""
    assert seen == [True, False]
