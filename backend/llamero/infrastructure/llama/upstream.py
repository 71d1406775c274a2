"""HTTP to one engine: requests with its key, replies untouched, broken connections as `UpstreamFailed`.

Invariants: status, end-to-end headers and body bytes pass as the engine sent them; there is no total timeout, since an
answer may take an hour; leaving the context closes the connection, which frees the engine's slot at once.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from llamero.infrastructure.llama.http_reply import READ_BYTES, HttpReply
from llamero.models.errors import UpstreamFailed

CONNECT_TIMEOUT_S = 5.0
SHORT_BODY = 1024 * 1024
CLOSED = "the engine is being stopped"
_REQUEST_TARGET = re.compile(r"/[!-~]*")
_HEADER_VALUE = re.compile(r"[ -~]*")


class Upstream:
    """Requests to the engine on one loopback port."""

    def __init__(self, port: int, key: str) -> None:
        self._port = port
        self._key = key
        self._space = memoryview(bytearray(READ_BYTES))
        self._open: set[HttpReply] = set()
        self._connecting: set[asyncio.Timeout] = set()
        self._closed = False

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        with_key: bool = True,
        timeout_s: float | None = None,
    ) -> AsyncIterator[HttpReply]:
        """Send a request. `timeout_s` bounds it as a whole. Raises UpstreamFailed when the engine cannot be reached."""
        reply = HttpReply(self._request_bytes(method, path, body, content_type, with_key), self._space)
        whole = asyncio.timeout(timeout_s)
        self._open.add(reply)
        try:
            async with whole:
                await self._connect(reply)
                await reply.until_head()
                yield reply
        except TimeoutError as error:
            if not whole.expired():
                raise
            raise UpstreamFailed(reason=f"no reply within {timeout_s} s") from error
        finally:
            self._open.discard(reply)
            reply.close()

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

    async def _connect(self, reply: HttpReply) -> None:
        if self._closed:
            raise UpstreamFailed(reason=CLOSED)
        limit = asyncio.timeout(CONNECT_TIMEOUT_S)
        try:
            async with limit:
                self._connecting.add(limit)
                try:
                    await _connect(reply, self._port)
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
        lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{self._port}", "Connection: close"]
        if with_key:
            lines.append(f"Authorization: Bearer {self._key}")
        if body is not None:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        return "\r\n".join([*lines, "", ""]).encode("ascii") + (body or b"")


async def _connect(reply: HttpReply, port: int) -> None:
    """Connect a reply to the engine on this port. Raises OSError.

    On loopback a connection stands as soon as it is asked for. The request is sent at once, so that the engine is at
    work while the event loop still makes a transport of the socket, which takes longer than the connection itself.
    """
    loop = asyncio.get_running_loop()
    connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.setblocking(False)
        try:
            connection.connect(("127.0.0.1", port))
        except BlockingIOError:  # not at once: its backlog is full, or the system takes its time
            await loop.sock_connect(connection, ("127.0.0.1", port))
        reply.send_ahead(connection)
        await loop.create_connection(lambda: reply, sock=connection)
    except BaseException:
        connection.close()
        raise
