"""Server-sent events to one client, in two ways: *direct* for events of our own, *forwarded* for an engine's bytes.

Format: WHATWG HTML, section 9.2.6. Direct events are made safe: text with line ends of any kind stays one event, and
neither a name nor an id can begin a line of its own. Forwarded bytes pass unchanged, so whoever forwards answers for
whole events, between which an event of ours may stand.

Forwarded bytes are awaited (`forward`) or pushed (`write`, `drained`); their order is that of the calls.

Invariant: while nothing is said for `silence_s`, a comment line goes out, by which clients and proxies see that the
answer is still being worked on: while a model loads, a request waits in the queue, or a dead engine is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Mapping

import msgspec
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

EVENT_STREAM = "text/event-stream"
EVENT_HEADERS = {
    "Content-Type": EVENT_STREAM,
    "Cache-Control": "no-cache",
    "X-Accel-Buffering": "no",  # reverse proxies of the nginx kind hold streams back otherwise
}
# Larger pieces are written in parts, so that back-pressure acts within them.
PIECE_BYTES = 64 * 1024
_LINE_END = re.compile(r"\r\n|\n|\r")
_NOT_IN_A_FIELD = re.compile(r"[\r\n\0]")


def event_bytes(data: str | bytes, *, name: str = "", event_id: str = "") -> bytes:
    """One event. Data of several lines becomes several `data` lines, which a client joins again with LF.

    Raises ValueError for a name or an id with a line end or NUL in it.
    """
    text = data.decode() if isinstance(data, bytes) else data
    lines: list[str] = []
    for field, value in (("event", name), ("id", event_id)):
        if _NOT_IN_A_FIELD.search(value):
            raise ValueError(f"an event's {field} cannot be {value!r}")
        if value:
            lines.append(f"{field}: {value}\n")
    lines += [f"data: {line}\n" for line in _LINE_END.split(text)]
    return "".join([*lines, "\n"]).encode()


def comment_bytes(text: str = "") -> bytes:
    """A comment, which clients skip."""
    return "".join([*[f": {line}\n" if line else ":\n" for line in _LINE_END.split(text)], "\n"]).encode()


class _Response(web.StreamResponse):
    """A response whose head waits for the first bytes, so that a client is woken once and not twice for them."""

    _send_headers_immediately = False


class EventStream:
    """One event stream. Its head goes out with the first thing said, which may be the comment that breaks a silence.

    Use as `async with`; `end` is the proper end, and without it the client sees the connection cut. With `silence_s`
    None nothing is said unasked. `headers` are those of the head.
    """

    def __init__(
        self, request: web.Request, *, silence_s: float | None = None, headers: Mapping[str, str] = EVENT_HEADERS
    ) -> None:
        self._request = request
        self._connection = request.protocol
        self._headers = headers
        self._silence_s = silence_s
        self._response: web.StreamResponse | None = None
        self._writer: AbstractStreamWriter | None = None
        self._transport: asyncio.WriteTransport | None = None
        self._is_chunked = False
        self._unwritten = b""
        self._head_is_out = False
        self._timer: asyncio.TimerHandle | None = None
        self._comment: asyncio.Task[None] | None = None
        self._said_before = -1
        self._within_event = False

    @property
    def response(self) -> web.StreamResponse | None:
        """The response once this is settled to be a stream; before that an answer can be of any other kind."""
        return self._response

    async def __aenter__(self) -> EventStream:
        self._watch()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.withdraw()
        if self._comment is not None:
            await asyncio.wait((self._comment,))

    def withdraw(self) -> bool:
        """Say nothing unasked from now on. True: nothing has been sent, so the answer may be of any other kind."""
        if self._timer is not None:
            self._timer.cancel()
        if self._comment is not None:
            self._comment.cancel()
        return self._response is None

    async def open(self) -> AbstractStreamWriter:
        """Settle on a stream and return what takes its bytes. The head goes out with the first of them."""
        if self._writer is None:
            response = _Response(headers=self._headers)
            writer = await response.prepare(self._request)
            if writer is None:
                raise RuntimeError("a response is prepared once")
            self._response, self._writer, self._transport = response, writer, self._request.transport
            # A client of HTTP/1.0 knows no chunks; its body ends with the connection.
            self._is_chunked = response.headers.get("Transfer-Encoding") == "chunked"
        return self._writer

    async def send(self, data: str | bytes, *, name: str = "", event_id: str = "") -> None:
        """Direct: an event of our own, made safe. Raises as `event_bytes` does."""
        await self.forward(event_bytes(data, name=name, event_id=event_id))

    async def send_json(self, document: object, *, name: str = "", event_id: str = "") -> None:
        """Direct: an event whose data is JSON."""
        await self.send(msgspec.json.encode(document), name=name, event_id=event_id)

    async def comment(self, text: str = "") -> None:
        """Direct: a comment."""
        await self.forward(comment_bytes(text))

    async def forward(self, events: bytes) -> None:
        """Forwarded: whole events as they are."""
        writer = self._writer or await self.open()
        if self._unwritten:
            events, self._unwritten = self._unwritten + events, b""
        self._head_is_out = True
        if len(events) <= PIECE_BYTES:
            await writer.write(events)
            return
        self._within_event = True
        await write_in_pieces(writer, events)
        self._within_event = False

    def write(self, events: bytes) -> bool:
        """Forwarded, at once, once the stream is open. False: the client reads too slowly; let `drained` return first.

        Goes past aiohttp's writer, whose coroutine costs as much as everything else that is done for a token. Raises
        ConnectionResetError when the client is gone.
        """
        transport, writer = self._transport, self._writer
        if writer is None or transport is None or transport.is_closing():
            raise ConnectionResetError("the client is gone")
        if len(events) > PIECE_BYTES or self._unwritten or not self._head_is_out:
            self._unwritten += events
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(events), events) if self._is_chunked else events)
        writer.output_size += len(events)
        return not self._connection.writing_paused

    async def drained(self) -> None:
        """Wait until the client has read enough to go on. Raises ConnectionResetError when it is gone."""
        await self.forward(b"")
        if self._writer is not None:
            await self._writer.drain()

    async def end(self) -> web.StreamResponse:
        """End the stream properly."""
        await self.forward(b"")
        if self._response is None:
            raise RuntimeError("an open stream has a response")
        await self._response.write_eof()
        return self._response

    def _watch(self) -> None:
        if self._silence_s is not None:
            self._timer = asyncio.get_running_loop().call_later(self._silence_s, self._look)

    def _look(self) -> None:
        """Was anything said since the last look? The bytes are counted anyway, so this costs a token nothing."""
        said = self._writer.output_size if self._writer is not None else -1
        silent = said == self._said_before and not self._within_event and not self._unwritten
        if silent and (self._comment is None or self._comment.done()):
            self._comment = asyncio.create_task(self._break_silence(), name="comment to a waiting client")
        self._said_before = said
        self._watch()

    async def _break_silence(self) -> None:
        if self._unwritten or self._within_event:
            return  # something was said before this task ran, and nothing may come between its pieces
        with contextlib.suppress(ConnectionError):  # a client who is gone cancels the request itself
            await self.comment()
            self._said_before = self._writer.output_size if self._writer is not None else -1


async def write_in_pieces(writer: AbstractStreamWriter, data: bytes) -> None:
    """Write something of any size, held back by a slow reader within it."""
    view = memoryview(data)
    for start in range(0, len(view), PIECE_BYTES):
        await writer.write(view[start : start + PIECE_BYTES])
