"""`GET /bridge/events`: the one WebSocket of a window, on which everything pushed arrives.

The page greets first, with its window and, after a break, the last frame that it saw. It then gets either what follows
that frame, after `{"seq": n}` to say so, or a snapshot as the first frame. A page that reads slowly is waited for by
nobody: what it has not read is merged, and beyond the window's bound the connection is closed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.dispatch import window_key
from llamero.bridge.hub import Hub
from llamero.bridge.tokens import SUBPROTOCOL, Tokens
from llamero.bridge.windows import FAILED, GOING_AWAY, NO_GREETING, TRY_AGAIN_LATER, Link, Window
from llamero.http.errors import crashed
from llamero.models.bridge.window import Greeting, Hello, Resume, Snapshot
from llamero.models.errors import LlameroError, RateLimited

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 4096
CLOSE_TIMEOUT_S = 1.0

SnapshotFactory = Callable[[WindowKind], Awaitable[Snapshot]]

_greeting_decoder = msgspec.json.Decoder(Greeting)


class EventsRoute:
    """Serves the windows' connections."""

    def __init__(self, hub: Hub, tokens: Tokens, create_snapshot: SnapshotFactory) -> None:
        self._hub = hub
        self._tokens = tokens
        self._create_snapshot = create_snapshot

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until either side ends it. Raises LlameroError before the upgrade only."""
        kind = self._tokens.of_socket(request.headers)
        socket = web.WebSocketResponse(
            protocols=(SUBPROTOCOL,),
            heartbeat=self._hub.limits.heartbeat_s,
            compress=False,
            timeout=CLOSE_TIMEOUT_S,
            max_msg_size=MESSAGE_LIMIT,
            writer_limit=0,  # back-pressure after every frame, not only every 64 KiB
        )
        await socket.prepare(request)
        code = await self._converse(socket, kind)
        await _close(socket, request, code)
        return socket

    async def _converse(self, socket: web.WebSocketResponse, kind: WindowKind) -> int:
        """Returns the code to close with."""
        greeting = await self._greeting(socket)
        if greeting is None:
            return NO_GREETING
        try:
            window, link = self._hub.connect(window_key(kind, greeting.window))
        except RateLimited:
            return TRY_AGAIN_LATER
        name = f"window {window.key}"
        sending = asyncio.create_task(self._send(socket, kind, greeting, window, link), name=name)
        hearing = asyncio.create_task(_hear(socket))
        try:
            ends: set[asyncio.Future[Any]] = {sending, hearing, link.ended}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            hearing.cancel()
            self._hub.disconnect(window, link)
            await asyncio.gather(sending, hearing, return_exceptions=True)
        return _outcome(link, sending)

    async def _greeting(self, socket: web.WebSocketResponse) -> Hello | Resume | None:
        try:
            async with asyncio.timeout(self._hub.limits.hello_timeout_s):
                message = await socket.receive()
        except TimeoutError:
            return None
        if message.type is not WSMsgType.TEXT:
            return None
        try:
            greeting = _greeting_decoder.decode(message.data)
        except msgspec.DecodeError:
            return None
        return greeting.resume or greeting.hello

    async def _send(
        self, socket: web.WebSocketResponse, kind: WindowKind, greeting: Hello | Resume, window: Window, link: Link
    ) -> None:
        """Send what the window has missed, then whatever comes, for ever."""
        missed = window.resume(greeting.epoch, greeting.seq) if isinstance(greeting, Resume) else None
        if isinstance(greeting, Resume) and missed is not None:
            await socket.send_frame(b'{"seq":%d}' % greeting.seq, WSMsgType.TEXT)
            await _send_all(socket, missed)
        else:
            self._hub.begin(window)
            snapshot = msgspec.json.encode(await self._create_snapshot(kind))
            body = b'"snapshot":%b,"epoch":"%b"' % (snapshot, window.epoch.encode())
            await socket.send_frame(window.number(body), WSMsgType.TEXT)
        while True:
            await window.news.wait()
            # A connection that has been replaced must not number another frame: the new one would never send it.
            while window.link is link and (frames := window.take()):
                await _send_all(socket, frames)
            await asyncio.sleep(self._hub.limits.frame_interval_s)


async def _send_all(socket: web.WebSocketResponse, frames: Iterable[bytes]) -> None:
    for frame in frames:
        await socket.send_frame(frame, WSMsgType.TEXT)


async def _hear(socket: web.WebSocketResponse) -> None:
    """Wait for the other side to leave; what it says meanwhile means nothing."""
    async for _ in socket:
        pass


def _outcome(link: Link, sending: asyncio.Task[None]) -> int:
    if link.ended.done():
        return link.ended.result()
    error = None if sending.cancelled() else sending.exception()
    if error is None or isinstance(error, ConnectionError):
        return GOING_AWAY
    if isinstance(error, LlameroError):
        logger.warning("no snapshot could be made: %s", error)
    else:
        crashed(error, where="a window's connection")
    return FAILED


async def _close(socket: web.WebSocketResponse, request: web.Request, code: int) -> None:
    """Say goodbye, but not to somebody who does not read it."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await socket.close(code=code)
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()
