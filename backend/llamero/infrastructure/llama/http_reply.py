"""One request to an engine on a connection of its own, and the reply, pulled or pushed.

Invariants: bytes are handed on in the callback in which they arrive, where somebody takes them (`pour`), and are held
otherwise; as soon as more than `HELD_BYTES` are held, or the taker has no room, the engine is not read from; whatever
breaks is one `UpstreamFailed`, told after all that came before it.

An engine that says something twice within `PAUSE_S` is read again only after that time. On a machine with few cores it
is slowed down by waking us, and the client by us, for each of thousands of tokens a second; nobody sees a millisecond.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Protocol, cast

from multidict import CIMultiDict

from llamero.infrastructure.llama.http_parser import ReplyParser
from llamero.models.errors import UpstreamFailed

READ_BYTES = 64 * 1024
HELD_BYTES = 64 * 1024
PAUSE_S = 0.001
# RFC 9110, section 7.6.1: these belong to one connection and are not forwarded.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


class Sink(Protocol):
    """Takes bytes as they arrive."""

    def write(self, data: bytes) -> bool:
        """Take these, whatever the room. False: let `drained` return before there are more."""
        ...

    async def drained(self) -> None:
        """Wait until there is room."""
        ...


class HttpReply(asyncio.BufferedProtocol):
    """A connection, and the reply to the one request that is sent on it with `ask`.

    It may be connected before there is a request, and may break before it. `space` is where bytes are read to; replies
    of one event loop may share it, since it is emptied in the callback that follows the read. `status` and `headers`
    stand once `until_head` has returned. After that iterate for the body, `read` it, or `pour` it; one of them, once.
    """

    def __init__(self, space: memoryview) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.has_begun = False
        """Has the engine said anything?"""
        self._unsent = b""
        self._parser = ReplyParser()
        self._space = space
        self._transport: asyncio.Transport | None = None
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._sink: Sink | None = None
        self._sink_is_full = False
        self._read_at = 0.0
        self._pause: asyncio.TimerHandle | None = None
        self._ended = False
        self._error: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    # What the reader of the reply calls

    @property
    def was_connected(self) -> bool:
        """Has the engine taken the connection?"""
        return self._transport is not None

    @property
    def is_over(self) -> bool:
        """Has the connection ended, or has it been cut?"""
        return self._ended

    def ask(self, request: bytes, connection: socket.socket | None = None) -> None:
        """Send the request. Until there is a transport, `connection` takes at once what the system has room for."""
        if self._transport is not None:
            self._transport.write(request)
            return
        if connection is not None:
            with contextlib.suppress(BlockingIOError):
                request = request[connection.send(request) :]
        self._unsent = request

    async def until_head(self) -> None:
        """Wait for status and headers. Raises UpstreamFailed."""
        while not self._parser.has_head:
            if self._ended:
                raise self._error or UpstreamFailed(reason="no reply")
            await self._next_change()
        self.status = self._parser.status
        self.headers = CIMultiDict(
            (name, value) for name, value in self._parser.headers.items() if name.lower() not in HOP_BY_HOP
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            if data := self._take_held():
                yield data
            elif not self._ended:
                await self._next_change()
            elif self._error is not None:
                raise self._error
            else:
                return

    async def read(self) -> bytes:
        """The whole body. Raises UpstreamFailed when the connection breaks."""
        return b"".join([data async for data in self])

    async def pour(self, sink: Sink) -> None:
        """Write the body to `sink` as it arrives; returns at its end.

        Raises UpstreamFailed when the connection breaks, and what `sink` raises.
        """
        while data := self._take_held():
            if not sink.write(data):
                await sink.drained()
        if self._ended:
            # libuv's loop sends at the end of a turn; without one, only after everything has been cleared away.
            await asyncio.sleep(0)
        self._sink = sink
        try:
            while not self._ended:
                if self._sink_is_full:
                    self._pause_reading()
                    await sink.drained()
                    self._sink_is_full = False
                    self._resume_reading()
                else:
                    await self._next_change()
        finally:
            self._sink = None
        if self._error is not None:
            raise self._error

    def close(self, reason: str = "closed") -> None:
        """Cut the connection, which frees the engine's slot. Whoever waits for the reply hears UpstreamFailed."""
        self._end(UpstreamFailed(reason=reason))

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send what is left of the request, unless it has been given up."""
        self._transport = cast(asyncio.Transport, transport)
        if self._ended:
            self._transport.abort()
        elif self._unsent:
            self._transport.write(self._unsent)
        self._unsent = b""

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where the next bytes go."""
        return self._space

    def buffer_updated(self, nbytes: int) -> None:
        """Hand on what has arrived."""
        if self._ended:
            return
        self.has_begun = True
        parser = self._parser
        had_head = parser.has_head
        if data := parser.feed(self._space[:nbytes]):
            self._hand_on(data)
        if parser.is_whole or parser.problem is not None:
            self._end(parser.problem)
        elif parser.has_head is not had_head:
            self._tell_change()
        elif self._sink is not None:
            self._pause_after_haste()

    def connection_lost(self, exc: Exception | None) -> None:
        """The engine has closed the connection, or it broke."""
        if not self._ended and exc is None:
            self._parser.finish()
        self._end(UpstreamFailed(reason=str(exc) or type(exc).__name__) if exc is not None else self._parser.problem)

    def _hand_on(self, data: bytes) -> None:
        sink = self._sink
        if sink is None:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._held_bytes > HELD_BYTES:
                self._pause_reading()
            self._tell_change()
            return
        try:
            has_room = sink.write(data)
        except Exception as error:
            self._end(error)
            return
        if not has_room:
            self._sink_is_full = True
            self._pause_reading()
            self._tell_change()

    def _pause_after_haste(self) -> None:
        """Let more than one token come together from an engine that says more than a thousand a second."""
        now = monotonic()
        if now - self._read_at < PAUSE_S and not self._sink_is_full:
            self._pause_reading()
            self._pause = asyncio.get_running_loop().call_later(PAUSE_S, self._end_pause)
        self._read_at = now

    def _end_pause(self) -> None:
        self._pause = None
        if not self._sink_is_full and self._held_bytes <= HELD_BYTES:
            self._resume_reading()

    def _take_held(self) -> bytes:
        if not self._held:
            return b""
        data = b"".join(self._held)
        self._held.clear()
        self._held_bytes = 0
        self._resume_reading()
        return data

    def _end(self, error: Exception | None) -> None:
        """Nothing more will come. Only the first reason counts."""
        if self._ended:
            return
        self._ended = True
        self._error = error
        if self._pause is not None:
            self._pause.cancel()
        if self._transport is not None:
            self._transport.abort()
        self._tell_change()

    async def _next_change(self) -> None:
        """Wait until there is a head, something held, a full sink or the end."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _tell_change(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _pause_reading(self) -> None:
        if self._transport is not None and not self._ended and self._transport.is_reading():
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._transport is not None and not self._ended and not self._transport.is_reading():
            self._transport.resume_reading()
