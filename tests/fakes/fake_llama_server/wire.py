"""The smallest HTTP/1.1 server that serves a test: keep-alive, bodies by length or chunked, replies whole or chunked.

Every write reaches the socket as it was made, and a connection can be broken off at any byte, which is why this is not
a web framework.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


class ClientGone(Exception):
    """The other side closed the connection."""


@dataclass
class Request:
    """One request, read whole."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    query: str = ""


@dataclass
class Reply:
    """The answer to one request: `json` for a whole one, or `start`, `send`…, `finish` for a streamed one."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    broken: bool = field(default=False, init=False)

    async def json(self, status: int, body: Any) -> None:
        """Send a whole answer."""
        data = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        self._head(status, "application/json; charset=utf-8", f"Content-Length: {len(data)}")
        self.writer.write(data)
        await self.writer.drain()

    async def start(self, content_type: str = "text/event-stream") -> None:
        """Send the head of a streamed answer."""
        self._head(200, content_type, "Transfer-Encoding: chunked")
        await self.writer.drain()

    async def send(self, data: bytes) -> None:
        """Send a piece of a streamed answer as one chunk. Raises `ClientGone`."""
        if self.gone:
            raise ClientGone
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        try:
            await self.writer.drain()
        except ConnectionError:
            raise ClientGone from None

    async def finish(self) -> None:
        """End a streamed answer."""
        self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()

    def break_off(self) -> None:
        """Reset the connection: what a crash of the network looks like."""
        self.broken = True
        raw = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    @property
    def gone(self) -> bool:
        """Whether the reader has left."""
        return self.writer.is_closing() or self.reader.at_eof()

    def _head(self, status: int, content_type: str, framing: str) -> None:
        phrase = HTTPStatus(status).phrase
        head = f"HTTP/1.1 {status} {phrase}\r\nServer: llama.cpp\r\nContent-Type: {content_type}\r\n{framing}\r\n\r\n"
        self.writer.write(head.encode())


Handler = Callable[[Request, Reply], Awaitable[None]]


async def serve(host: str, port: int, handler: Handler) -> tuple[asyncio.Server, int]:
    """Listen; returns the server and its port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await read_request(reader)) is not None:
                reply = Reply(reader, writer)
                await handler(request, reply)
                if reply.broken or request.headers.get("connection", "").lower() == "close":
                    break
        except (ClientGone, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, host, port, limit=1 << 24, backlog=512)
    return server, server.sockets[0].getsockname()[1]


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """Read one request whole; None when the connection ends instead."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    path, _, query = target.partition("?")
    request = Request(method, path, headers, query=query)
    if "chunked" in headers.get("transfer-encoding", ""):
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            request.body += (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")
    elif length := int(headers.get("content-length", 0)):
        request.body = await reader.readexactly(length)
    return request
