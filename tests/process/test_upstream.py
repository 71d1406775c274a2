"""Requests to an engine over real sockets: what is on the wire, who waits for whom, what a broken one looks like."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any

import pytest

from llamero.infrastructure.llama.http_reply import HELD_BYTES, READ_BYTES, HttpReply
from llamero.infrastructure.llama.upstream import CLOSED, Upstream
from llamero.models.errors import UpstreamFailed
from tests.process.support import eventually

KEY = "a-key"
WAIT_S = 5.0
CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"

Script = Callable[["Engine"], Awaitable[None]]


class Engine:
    """One connection to a server that does what a script says, and notes what it was sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        self.reader, self.writer, self.request = reader, writer, request
        self.written = 0
        self.left = asyncio.Event()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()
        self.written += len(data)

    async def until_left(self) -> None:
        with suppress(ConnectionError):
            await self.reader.read()
        self.left.set()

    def reset(self) -> None:
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def says(*pieces: bytes) -> Script:
    async def script(engine: Engine) -> None:
        for piece in pieces:
            await engine.send(piece)

    return script


@asynccontextmanager
async def upstream(script: Script) -> AsyncIterator[tuple[Upstream, list[Engine]]]:
    engines: list[Engine] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            engine = Engine(reader, writer, head + await reader.readexactly(int(length or 0)))
            engines.append(engine)
            await script(engine)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield Upstream(server.sockets[0].getsockname()[1], KEY), engines
    finally:
        server.close()


class Collector:
    """A sink with room for `room` bytes until somebody calls `read`."""

    def __init__(self, room: int = 1 << 40) -> None:
        self.data = b""
        self.writes = 0
        self._room = room
        self._left = room
        self._drained = asyncio.Event()

    def write(self, data: bytes) -> bool:
        assert self._left > 0, "written to although it was full"
        self.data += data
        self.writes += 1
        self._left -= len(data)
        return self._left > 0

    async def drained(self) -> None:
        await self._drained.wait()
        self._drained.clear()

    def read(self) -> None:
        self._left = self._room
        self._drained.set()


async def pulled(reply: HttpReply) -> bytes:
    return b"".join([data async for data in reply])


async def poured(reply: HttpReply) -> bytes:
    sink = Collector()
    try:
        await reply.pour(sink)
    finally:
        reply.poured = sink.data  # type: ignore[attr-defined]
    return sink.data


WAYS = pytest.mark.parametrize("way", [pulled, poured])
Way = Callable[[HttpReply], Awaitable[bytes]]


async def test_request_on_the_wire_is_what_an_engine_expects() -> None:
    async with upstream(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as (up, engines):
        async with up.request("POST", "/v1/embeddings?a=%20b", b'{"input":"x"}') as reply:
            assert await reply.read() == b"{}"
        async with up.request("GET", "/health", with_key=False) as reply:
            assert reply.status == 200
        port = up.port
    assert (
        engines[0].request
        == (
            f"POST /v1/embeddings?a=%20b HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n"
            f"Authorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n"
            '{"input":"x"}'
        ).encode()
    )
    assert engines[1].request == f"GET /health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()


@pytest.mark.parametrize("path", ["", "health", "/a b", "/a\r\nX: y", "/ä", "http://other/"])
async def test_path_that_would_be_something_else_on_the_wire_is_not_sent(path: str) -> None:
    async with upstream(says()) as (up, engines):
        with pytest.raises(ValueError, match="not a path"):
            async with up.request("GET", path):
                pass
    assert engines == []


@WAYS
async def test_body_arrives_whole_and_headers_without_those_of_the_connection(way: Way) -> None:
    head = CHUNKED.replace(b"\r\n\r\n", b"\r\nConnection: close\r\nKeep-Alive: 5\r\nX-Own: 1\r\n\r\n")
    body = [b"x" * size for size in (1, 100, 300_000, 1, 65_536)]
    async with upstream(says(head, *map(chunk, body), END)) as (up, _), up.request("GET", "/") as reply:
        assert await way(reply) == b"".join(body)
        assert dict(reply.headers) == {"Content-Type": "text/event-stream", "X-Own": "1"}


async def test_poured_body_arrives_piece_by_piece_as_it_is_sent() -> None:
    sink = Collector()

    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED)
        for number in range(1, 4):
            await engine.send(chunk(b"x"))
            await eventually(lambda n=number: len(sink.data) == n)
        await engine.send(END)

    async with upstream(script) as (up, _), up.request("GET", "/") as reply:
        await reply.pour(sink)
    assert sink.writes == 3


async def test_engine_in_a_hurry_is_read_in_larger_pieces() -> None:
    sink = Collector()
    said = [b"%d," % number for number in range(3000)]

    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED)
        for piece in said:
            await engine.send(chunk(piece))
            await asyncio.sleep(0)
        await engine.send(END)

    async with upstream(script) as (up, _), up.request("GET", "/") as reply:
        await reply.pour(sink)
    assert sink.data == b"".join(said)
    assert sink.writes < len(said) / 2


async def test_redirect_is_not_followed() -> None:
    raw = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with upstream(says(raw)) as (up, engines):
        assert await up.status("/") == 302
    assert len(engines) == 1


def test_engine_that_listens_is_connected_without_a_turn_of_the_loop() -> None:
    """What the loop itself does to connect a socket: libuv's looks the address up in a thread, which then wakes us."""
    waited: list[str] = []

    class Watched(asyncio.SelectorEventLoop):
        async def sock_connect(self, sock: socket.socket, address: Any) -> None:
            waited.append("sock_connect")
            await super().sock_connect(sock, address)

        def add_writer(self, fd: Any, callback: Callable[..., Any], *args: Any) -> None:
            waited.append("add_writer")
            super().add_writer(fd, callback, *args)

    async def ask() -> None:
        async with upstream(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")) as (up, _):
            assert await up.status("/props") == 200

    with asyncio.Runner(loop_factory=Watched) as runner:
        runner.run(ask())
    assert waited == []


async def test_engine_whose_backlog_is_full_is_connected_once_there_is_room() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as others:
        listener.setblocking(False)
        while True:
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            if {other.connect_ex(listener.getsockname()), other.connect_ex(listener.getsockname())}.isdisjoint({0}):
                break
        up = Upstream(listener.getsockname()[1], KEY)
        asked = asyncio.create_task(up.status("/props", timeout_s=10.0))
        loop = asyncio.get_running_loop()
        while not asked.done():
            engine, _ = await asyncio.wait_for(loop.sock_accept(listener), 10)
            others.enter_context(engine)
            with suppress(TimeoutError):
                if await asyncio.wait_for(loop.sock_recv(engine, 1000), 0.05):
                    await loop.sock_sendall(engine, b"HTTP/1.1 204 No Content\r\n\r\n")
                    break
        assert await asked == 204


async def test_nobody_listens_is_upstream_failed() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        up = Upstream(probe.getsockname()[1], KEY)
        with pytest.raises(UpstreamFailed):
            async with up.request("GET", "/"):
                pass
        assert await up.status("/") is None


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"SSH-2.0\r\n"])
async def test_connection_that_ends_before_the_head_is_upstream_failed(said: bytes) -> None:
    async with upstream(says(said)) as (up, _):
        with pytest.raises(UpstreamFailed):
            async with up.request("GET", "/"):
                pass


BREAKS: dict[str, Script] = {
    "ends in a chunk": says(CHUNKED + chunk(b"hello") + b"5\r\nwor"),
    "ends between two chunks": says(CHUNKED + chunk(b"hello")),
    "ends before its length": says(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello"),
    "lies about a chunk": says(CHUNKED + chunk(b"hello") + b"1\r\nworld\r\n"),
}


@WAYS
@pytest.mark.parametrize("fault", BREAKS)
async def test_body_that_breaks_is_upstream_failed_after_what_came(fault: str, way: Way) -> None:
    async with upstream(BREAKS[fault]) as (up, _), up.request("GET", "/") as reply:
        got = b""
        with pytest.raises(UpstreamFailed):
            if way is poured:
                await poured(reply)
            async for data in reply:
                got += data
        assert (got or reply.poured).startswith(b"hello")  # type: ignore[attr-defined]


@WAYS
async def test_connection_that_is_reset_is_upstream_failed(way: Way) -> None:
    reading = asyncio.Event()

    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED + chunk(b"hello"))
        await reading.wait()
        engine.reset()

    async with upstream(script) as (up, _), up.request("GET", "/") as reply:
        task = asyncio.ensure_future(way(reply))
        await asyncio.sleep(0)
        reading.set()
        with pytest.raises(UpstreamFailed):
            await asyncio.wait_for(task, WAIT_S)


async def test_leaving_the_reply_closes_its_connection_at_once() -> None:
    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED + chunk(b"hello"))
        await engine.until_left()

    async with upstream(script) as (up, engines):
        async with up.request("GET", "/") as reply:
            assert await anext(aiter(reply)) == b"hello"
            assert not engines[0].left.is_set()
        await asyncio.wait_for(engines[0].left.wait(), WAIT_S)


async def silent(engine: Engine) -> None:
    await engine.until_left()


async def test_request_that_is_canceled_closes_its_connection() -> None:
    async with upstream(silent) as (up, engines):
        asking = asyncio.ensure_future(up.status("/", timeout_s=60))
        await eventually(lambda: engines)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(engines[0].left.wait(), WAIT_S)


async def test_reply_that_takes_too_long_is_upstream_failed() -> None:
    async with upstream(silent) as (up, engines):
        assert await up.status("/", timeout_s=0.05) is None
        await asyncio.wait_for(engines[0].left.wait(), WAIT_S)


async def test_timeout_of_the_reader_itself_stays_a_timeout() -> None:
    async with upstream(says(CHUNKED, END)) as (up, _):
        with pytest.raises(TimeoutError):
            async with up.request("GET", "/", timeout_s=60):
                raise TimeoutError("of the reader")


@WAYS
async def test_close_cuts_an_open_reply(way: Way) -> None:
    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED)
        await engine.until_left()

    async with upstream(script) as (up, engines), up.request("GET", "/") as reply:
        task = asyncio.ensure_future(way(reply))
        await asyncio.sleep(0)
        up.close()
        with pytest.raises(UpstreamFailed, match=CLOSED):
            await asyncio.wait_for(task, WAIT_S)
        await asyncio.wait_for(engines[0].left.wait(), WAIT_S)


async def test_close_cuts_a_reply_that_is_awaited_and_lets_no_other_through() -> None:
    async with upstream(silent) as (up, engines):
        asking = asyncio.ensure_future(up.request("GET", "/").__aenter__())
        await eventually(lambda: engines)
        up.close()
        with pytest.raises(UpstreamFailed, match=CLOSED):
            await asyncio.wait_for(asking, WAIT_S)
        with pytest.raises(UpstreamFailed, match=CLOSED):
            await up.request("GET", "/").__aenter__()
        assert len(engines) == 1


# The connection that is kept ready


@asynccontextmanager
async def connections(
    serve: Callable[[int, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], spare_s: float = WAIT_S
) -> AsyncIterator[tuple[Upstream, list[asyncio.StreamWriter]]]:
    """A server that is asked to serve every connection, with its number from 0, also while nothing comes on it."""
    opened: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.append(writer)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(len(opened) - 1, reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    up = Upstream(server.sockets[0].getsockname()[1], KEY, spare_s)
    try:
        yield up, opened
    finally:
        up.close()
        server.close()


NAMED = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d"


async def answer_with_number(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(NAMED % number)
    await writer.drain()


async def ask(up: Upstream) -> bytes:
    async with up.request("GET", "/") as reply:
        return await reply.read()


async def test_request_finds_a_connection_that_was_made_after_the_one_before() -> None:
    async with connections(answer_with_number) as (up, opened):
        assert await ask(up) == b"0"
        await eventually(lambda: up._spare is not None and len(opened) == 2)
        assert await ask(up) == b"1"
        await eventually(lambda: up._spare is not None and len(opened) == 3)


async def test_spare_connection_that_the_engine_has_closed_is_not_used() -> None:
    async with connections(answer_with_number) as (up, opened):
        await ask(up)
        await eventually(lambda: up._spare is not None and len(opened) == 2)
        opened[1].close()
        await eventually(lambda: up._spare is None or up._spare.is_over)
        assert await ask(up) == b"2"


async def test_spare_connection_closed_in_the_moment_of_its_use_costs_no_request() -> None:
    async def serve(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if number != 1:
            writer.write(NAMED % number)

    async with connections(serve) as (up, opened):
        await ask(up)
        await eventually(lambda: up._spare is not None and len(opened) == 2)
        assert await ask(up) == b"2"


async def test_request_that_the_engine_has_begun_to_answer_is_not_sent_again() -> None:
    async def serve(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(NAMED % number if number != 1 else b"HTTP/1.1 2")

    async with connections(serve) as (up, opened):
        await ask(up)
        await eventually(lambda: up._spare is not None and len(opened) == 2)
        with pytest.raises(UpstreamFailed):
            await ask(up)


async def test_spare_connection_is_given_up_after_a_while_and_at_the_end() -> None:
    left: list[int] = []

    async def serve(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readuntil(b"\r\n\r\n"):
            writer.write(NAMED % number)

    async def noting(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(number, reader, writer)
        except asyncio.IncompleteReadError:
            left.append(number)

    async with connections(noting, spare_s=0.01) as (up, _):
        await ask(up)
        await eventually(lambda: left == [1])
        assert up._spare is None
    left.clear()
    async with connections(noting) as (up, _):
        await ask(up)
        await eventually(lambda: up._spare is not None)
        up.close()
        await eventually(lambda: left == [1])


async def test_engine_that_takes_no_connection_yet_is_not_asked_for_a_spare_one() -> None:
    """A poll of an engine that loads is one attempt to connect, not two."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # taken, but nobody listens
        up = Upstream(nobody.getsockname()[1], KEY)
        assert await up.status("/health") is None
        assert up._preparing is None


async def test_engine_that_is_gone_is_upstream_failed_also_with_a_spare_connection() -> None:
    async with connections(answer_with_number) as (up, opened):
        await ask(up)
        await eventually(lambda: up._spare is not None and len(opened) == 2)
        up.port = 1  # nobody listens there any more
        opened[1].transport.abort()
        with pytest.raises(UpstreamFailed):
            await ask(up)


async def test_close_cuts_a_request_that_is_not_even_connected() -> None:
    """A process that has been stopped takes connections until its queue is full; then they hang."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        up = Upstream(full.getsockname()[1], KEY)
        asking = asyncio.ensure_future(up.request("GET", "/").__aenter__())
        await eventually(lambda: up._connecting)
        up.close()
        with pytest.raises(UpstreamFailed, match=CLOSED):
            await asyncio.wait_for(asking, 1.0)
        for one in waiting:
            one.close()


FLOOD = 8 * 1024 * 1024


async def flood(engine: Engine) -> None:
    engine.writer.transport.set_write_buffer_limits(high=0)
    await engine.send(CHUNKED)
    for _ in range(FLOOD // 4096):
        await engine.send(chunk(b"x" * 4096))
    await engine.send(END)


async def until_it_stands_still(engine: Engine) -> None:
    before = -1
    while engine.written != before:
        before = engine.written
        await asyncio.sleep(0.05)


async def test_engine_is_held_while_nobody_reads() -> None:
    async with upstream(flood) as (up, engines), up.request("GET", "/") as reply:
        await until_it_stands_still(engines[0])
        assert engines[0].written < FLOOD
        assert reply._held_bytes <= HELD_BYTES + READ_BYTES
        assert len(await reply.read()) == FLOOD


async def test_engine_is_held_while_the_sink_is_full_and_nothing_is_lost() -> None:
    async with upstream(flood) as (up, engines), up.request("GET", "/") as reply:
        sink = Collector(room=100_000)
        pouring = asyncio.ensure_future(reply.pour(sink))
        await until_it_stands_still(engines[0])
        assert engines[0].written < FLOOD
        assert len(sink.data) <= 100_000 + READ_BYTES + HELD_BYTES
        while not pouring.done():
            sink.read()
            await asyncio.sleep(0)
        await pouring
    assert sink.data == b"x" * FLOOD


async def test_sink_that_fails_ends_the_pouring_with_its_error_and_frees_the_engine() -> None:
    class Gone(Collector):
        def write(self, data: bytes) -> bool:
            raise ConnectionResetError("the client is gone")

    reading = asyncio.Event()

    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED)
        await reading.wait()
        await engine.send(chunk(b"hello"))
        await engine.until_left()

    async with upstream(script) as (up, engines), up.request("GET", "/") as reply:
        pouring = asyncio.ensure_future(reply.pour(Gone()))
        await asyncio.sleep(0)
        reading.set()
        with pytest.raises(ConnectionResetError):
            await asyncio.wait_for(pouring, WAIT_S)
        await asyncio.wait_for(engines[0].left.wait(), WAIT_S)


async def test_pouring_that_is_canceled_writes_no_more() -> None:
    sink = Collector()

    async def script(engine: Engine) -> None:
        await engine.send(CHUNKED + chunk(b"before"))
        await eventually(lambda: sink.data)
        pouring.cancel()
        await asyncio.gather(pouring, return_exceptions=True)
        await engine.send(chunk(b"after"))
        await engine.until_left()

    async with upstream(script) as (up, _), up.request("GET", "/") as reply:
        pouring = asyncio.ensure_future(reply.pour(sink))
        with pytest.raises(asyncio.CancelledError):
            await pouring
        assert await anext(aiter(reply)) == b"after"
    assert sink.data == b"before"
