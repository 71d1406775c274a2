"""HTTP to one engine: requests with its key, replies untouched, broken connections as `UpstreamFailed`.

Invariants: status, end-to-end headers and body bytes pass as the engine sent them; there is no total timeout, since an
answer may take an hour; leaving the context closes the connection, which frees the engine's slot at once.

No connection carries two requests, but one is kept ready for the next: making it takes longer than all else that a
request costs here. It is given up before the engine would give it up (cpp-httplib's keep-alive: 5 s), and where the
engine closes it without a word in the moment in which it is used, the request is sent again on a new one.
"""

from __future__ import annotations

import asyncio
import errno
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from llamero.infrastructure.llama.http_reply import READ_BYTES, HttpReply
from llamero.models.errors import UpstreamFailed

CONNECT_TIMEOUT_S = 5.0
SHORT_BODY = 1024 * 1024
SPARE_S = 3.0
CLOSED = "the engine is being stopped"
_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY)
_REQUEST_TARGET = re.compile(r"/[!-~]*")
_HEADER_VALUE = re.compile(r"[ -~]*")


class Upstream:
    """Requests to the engine on one loopback port. A connection is kept ready for `spare_s` after every request."""

    def __init__(self, port: int, key: str, spare_s: float = SPARE_S) -> None:
        self.port = port
        self._key = key
        self._spare_s = spare_s
        self._space = memoryview(bytearray(READ_BYTES))
        self._open: set[HttpReply] = set()
        self._connecting: set[asyncio.Timeout] = set()
        self._spare: HttpReply | None = None
        self._spare_expiry: asyncio.TimerHandle | None = None
        self._preparing: asyncio.Task[None] | None = None
        self._closed = False

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        with_key: bool = True,
        timeout_s: float | None = None,
    ) -> AbstractAsyncContextManager[HttpReply]:
        """Send a request. `timeout_s` bounds it as a whole. Raises UpstreamFailed when the engine cannot be reached."""
        exchange = _Exchange(self, self._request_bytes(method, path, body, content_type, with_key))
        return exchange if timeout_s is None else _bounded(exchange, timeout_s)

    async def get(self, path: str, *, timeout_s: float) -> tuple[int | None, bytes]:
        """The status and the body of a GET, as far as `SHORT_BODY`; None when nothing answers to the end."""
        body = b""
        try:
            async with self.request("GET", path, timeout_s=timeout_s) as reply:
                async for piece in reply:
                    body += piece
                    if len(body) >= SHORT_BODY:
                        break
                return reply.status, body
        except UpstreamFailed:
            return None, b""

    async def status(self, path: str, *, with_key: bool = True, timeout_s: float = 2.0) -> int | None:
        """The status of a GET, or None when nothing answers."""
        try:
            async with self.request("GET", path, with_key=with_key, timeout_s=timeout_s) as reply:
                return reply.status
        except UpstreamFailed:
            return None

    def close(self) -> None:
        """Cut every reply, open or awaited, and let no new request through.

        An engine that is asked to end waits for its clients otherwise.
        """
        self._closed = True
        for connecting in self._connecting:
            if not connecting.expired():
                connecting.reschedule(0.0)
        for reply in list(self._open):
            reply.close(CLOSED)
        if self._preparing is not None:
            self._preparing.cancel()
        self._drop_spare()

    async def begin(self, request: bytes) -> HttpReply:
        """A reply whose head has come, on the spare connection or a new one; to be given to `end`."""
        reply = self._take_spare()
        try:
            if reply is None or not await self._answers(reply, request):
                reply = HttpReply(self._space)
                self._open.add(reply)
                await self._connect(reply, request)
                await reply.until_head()
        except BaseException:
            if reply is not None:
                self.end(reply)
            raise
        return reply

    def end(self, reply: HttpReply) -> None:
        """Nobody wants more of this reply."""
        self._open.discard(reply)
        reply.close()
        if reply.was_connected:  # an engine that is only being started takes no connection, and is asked often
            self._prepare_spare()

    async def _answers(self, spare: HttpReply, request: bytes) -> bool:
        """Ask on a connection that was made before. False: it had been given up when the request came."""
        self._open.add(spare)
        spare.ask(request)
        try:
            await spare.until_head()
        except UpstreamFailed:
            if spare.has_begun:
                raise
            self._open.discard(spare)
            return False
        return True

    def _take_spare(self) -> HttpReply | None:
        spare, self._spare = self._spare, None
        if self._spare_expiry is not None:
            self._spare_expiry.cancel()
        return None if spare is None or spare.is_over else spare

    def _drop_spare(self) -> None:
        if (spare := self._take_spare()) is not None:
            spare.close()

    def _prepare_spare(self) -> None:
        """Connect for the next request, once there is nothing else to do for this one."""
        if not self._closed and self._spare is None and self._preparing is None:
            self._preparing = asyncio.create_task(self._make_spare(), name="spare connection to an engine")

    async def _make_spare(self) -> None:
        spare = HttpReply(self._space)
        try:
            await self._connect(spare)
        except UpstreamFailed:
            return  # the next request will tell
        finally:
            self._preparing = None
        self._spare = spare
        self._spare_expiry = asyncio.get_running_loop().call_later(self._spare_s, self._drop_spare)
        if self._closed:
            self._drop_spare()

    async def _connect(self, reply: HttpReply, request: bytes | None = None) -> None:
        if self._closed:
            raise UpstreamFailed(reason=CLOSED)
        limit = asyncio.timeout(CONNECT_TIMEOUT_S)
        try:
            async with limit:
                self._connecting.add(limit)
                try:
                    await _connect(reply, self.port, request)
                finally:
                    self._connecting.discard(limit)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise UpstreamFailed(reason=CLOSED if self._closed else "it takes no connection") from error
        except OSError as error:
            raise UpstreamFailed(reason=str(error) or type(error).__name__) from error

    def _request_bytes(self, method: str, path: str, body: bytes | None, content_type: str, with_key: bool) -> bytes:
        """The request as it is sent. Raises ValueError for what would be something else on the wire."""
        if not _REQUEST_TARGET.fullmatch(path):
            raise ValueError(f"not a path: {path!r}")
        if not _HEADER_VALUE.fullmatch(content_type):
            raise ValueError(f"not a content type: {content_type!r}")
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Connection: close"]
        if with_key:
            lines.append(f"Authorization: Bearer {self._key}")
        if body is not None:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (body or b"")


class _Exchange:
    """One request and its reply, as a context. It is entered for every request: a generator would cost it 30 µs."""

    def __init__(self, upstream: Upstream, request: bytes) -> None:
        self._upstream = upstream
        self._request = request
        self._reply: HttpReply | None = None

    async def __aenter__(self) -> HttpReply:
        self._reply = await self._upstream.begin(self._request)
        return self._reply

    async def __aexit__(self, *_: object) -> None:
        if self._reply is not None:
            self._upstream.end(self._reply)


@asynccontextmanager
async def _bounded(exchange: _Exchange, timeout_s: float) -> AsyncIterator[HttpReply]:
    """The same, but for no longer than this. Raises UpstreamFailed when it takes longer."""
    whole = asyncio.timeout(timeout_s)
    try:
        async with whole, exchange as reply:
            yield reply
    except TimeoutError as error:
        if not whole.expired():
            raise
        raise UpstreamFailed(reason=f"no reply within {timeout_s} s") from error


async def _connect(reply: HttpReply, port: int, request: bytes | None) -> None:
    """Connect a reply to the engine on this port, and ask. Raises OSError.

    The request is sent at once, so that the engine is at work while the event loop still makes a transport of the
    socket, which takes longer than the connection.
    """
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        await _connect_socket(connection, ("127.0.0.1", port))
        if request is not None:
            reply.ask(request, connection)
        await loop.create_connection(lambda: reply, sock=connection)
    except BaseException:
        connection.close()
        raise


async def _connect_socket(connection: socket.socket, address: tuple[str, int]) -> None:
    """What the event loop's `sock_connect` does, at once where that can be. Raises OSError.

    On loopback a connection stands by the time that it is asked after. libuv's loop would first have a thread look up
    the address, and then connect once more, which is an error on macOS where the connection stands by then.
    """
    loop = asyncio.get_running_loop()
    if sys.platform == "win32":
        await loop.sock_connect(connection, address)
        return
    error = connection.connect_ex(address)
    if error in _UNDER_WAY:
        error = connection.connect_ex(address)
    if error in _UNDER_WAY:  # its backlog is full, or the system takes its time
        decided = asyncio.Event()
        loop.add_writer(connection, decided.set)
        try:
            await decided.wait()
        finally:
            loop.remove_writer(connection)
        error = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if error not in (0, errno.EISCONN):
        raise OSError(error, os.strerror(error))
