"""HTTP to one engine: requests with its key, replies untouched, broken connections as `UpstreamFailed`.

Invariants: status, end-to-end headers and body bytes pass as the engine sent them; there is no total timeout, since an
answer may take an hour; leaving the context closes the connection, which frees the engine's slot at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from multidict import CIMultiDict

from llamero.models.errors import UpstreamFailed

CONNECT_TIMEOUT_S = 5.0
CLOSED = "the engine is being stopped"
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
_BROKEN = (aiohttp.ClientError, OSError, TimeoutError)


def open_session() -> aiohttp.ClientSession:
    """The one client session of the app: no connection limit, no decompression, no proxies from the environment.

    Every request has a connection of its own: a connect on loopback costs 0.1 ms, while a kept one may be closed by the
    engine in the very moment in which it is used again, which would look like the engine's death.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, force_close=True),
        auto_decompress=False,
        trust_env=False,
    )


class UpstreamReply:
    """An open reply. Iterate for the body as it arrives, or `read` all of it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = CIMultiDict(
            (name, value) for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP
        )

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content = self._response.content
        try:
            while chunk := await content.readany():
                yield chunk
        except _BROKEN as error:
            raise UpstreamFailed(reason=_reason(error)) from error

    async def read(self) -> bytes:
        """The whole body. Raises UpstreamFailed when the connection breaks."""
        try:
            return await self._response.read()
        except _BROKEN as error:
            raise UpstreamFailed(reason=_reason(error)) from error


class Upstream:
    """Requests to the engine on one loopback port."""

    def __init__(self, session: aiohttp.ClientSession, port: int, key: str) -> None:
        self._session = session
        self._base = f"http://127.0.0.1:{port}"
        self._key = key
        self._open: set[aiohttp.ClientResponse] = set()
        self._sending: set[asyncio.Task[aiohttp.ClientResponse]] = set()
        self._closed = False

    @asynccontextmanager
    async def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        with_key: bool = True,
        timeout_s: float | None = None,
    ) -> AsyncIterator[UpstreamReply]:
        """Send a request. `timeout_s` bounds it as a whole. Raises UpstreamFailed when the engine cannot be reached."""
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if with_key:
            headers["Authorization"] = f"Bearer {self._key}"
        timeout = aiohttp.ClientTimeout(total=timeout_s, sock_connect=CONNECT_TIMEOUT_S)
        response = await self._send(
            self._session.request(
                method, self._base + path, data=body, headers=headers, allow_redirects=False, timeout=timeout
            )
        )
        self._open.add(response)
        try:
            yield UpstreamReply(response)
        finally:
            self._open.discard(response)
            response.close()

    async def status(self, path: str, *, with_key: bool = True, timeout_s: float = 2.0) -> int | None:
        """The status of a GET, or None when nothing answers."""
        try:
            async with self.request("GET", path, with_key=with_key, timeout_s=timeout_s) as reply:
                return reply.status
        except UpstreamFailed:
            return None

    async def _send(self, request: Coroutine[Any, Any, aiohttp.ClientResponse]) -> aiohttp.ClientResponse:
        """Wait for the head of a reply, as long as `close` is not called."""
        if self._closed:
            request.close()
            raise UpstreamFailed(reason=CLOSED)
        sending = asyncio.ensure_future(request)
        self._sending.add(sending)
        try:
            # Not `await sending`: whether it was canceled or we were must stay two different things.
            await asyncio.wait((sending,))
        except asyncio.CancelledError:
            _drop(sending)
            raise
        finally:
            self._sending.discard(sending)
        if self._closed:
            _drop(sending)
            raise UpstreamFailed(reason=CLOSED)
        try:
            return sending.result()
        except _BROKEN as error:
            raise UpstreamFailed(reason=_reason(error)) from error

    def close(self) -> None:
        """Cut every reply, open or awaited, and let no new request through.

        An engine that is asked to end waits for its clients otherwise.
        """
        self._closed = True
        for sending in list(self._sending):
            sending.cancel()
        for response in list(self._open):
            response.close()


def _drop(sending: asyncio.Task[aiohttp.ClientResponse]) -> None:
    sending.cancel()
    sending.add_done_callback(_close_unwanted)


def _close_unwanted(sending: asyncio.Task[aiohttp.ClientResponse]) -> None:
    if not sending.cancelled() and sending.exception() is None:
        sending.result().close()


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
