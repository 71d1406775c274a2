"""HTTP to one engine: requests with its key, replies untouched, broken connections as `UpstreamFailed`.

Invariants: status, end-to-end headers and body bytes pass as the engine sent them; there is no total timeout, since an
answer may take an hour; leaving the context closes the connection, which frees the engine's slot at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp

from llamero.models.errors import UpstreamFailed

CONNECT_TIMEOUT_S = 5.0
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
    """The one client session of the app: no connection limit, no decompression, no proxies from the environment."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        auto_decompress=False,
        trust_env=False,
    )


class UpstreamReply:
    """An open reply. Iterate for the body as it arrives, or `read` all of it."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = {
            name: value for name, value in response.headers.items() if name.lower() not in HOP_BY_HOP
        }

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
        try:
            response = await self._session.request(
                method, self._base + path, data=body, headers=headers, allow_redirects=False, timeout=timeout
            )
        except _BROKEN as error:
            raise UpstreamFailed(reason=_reason(error)) from error
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

    def close(self) -> None:
        """Cut every open reply. An engine that is asked to end waits for its clients otherwise."""
        for response in list(self._open):
            response.close()


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
