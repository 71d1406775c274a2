"""HTTP to remote servers: their key goes to their own origin and nowhere else, and nothing of ours goes with it.

Invariants: certificates are verified; a redirect never takes the key to another origin; proxies of the environment are
used only where the settings say so; there is no total timeout, since an answer may take an hour, but a server that
says nothing for `silence_limit_s` is given up; leaving the context closes the connection, which ends the work there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from llamero import __version__
from llamero.infrastructure.llama.http_reply import HOP_BY_HOP
from llamero.infrastructure.remote import hops
from llamero.infrastructure.remote.addresses import endpoint_url, host_of
from llamero.infrastructure.remote.failures import BROKEN, failure
from llamero.infrastructure.secret_masking import holds_secret, register_secret
from llamero.models.errors import UpstreamFailed
from llamero.models.remote import RemoteRequest

CONNECT_TIMEOUT_S = 10.0
SILENCE_LIMIT_S = 600.0  # as long as the official clients wait for an answer
# Servers of the uvicorn kind close an idle connection after 5 s. One that is used again in that very moment breaks, and
# a POST is not repeated for it.
KEEP_ALIVE_S = 4.0
BUFFER_BYTES = 64 * 1024  # aiohttp holds twice that for a slow reader
MAX_REDIRECTS = 3
MAX_BODY_BYTES = 256 * 1024 * 1024  # some thousand long embeddings
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What the connection itself decides, whatever an alias's extra headers say.
_OURS = HOP_BY_HOP | {"accept-encoding", "content-length", "content-type", "host"}
# Bodies are handed on decoded, so these would lie; cookies are of no use to anybody.
_NOT_PASSED = HOP_BY_HOP | {"content-encoding", "content-length", "set-cookie"}


class RemoteReply:
    """An open reply. Iterate for the body as it arrives."""

    def __init__(self, response: aiohttp.ClientResponse, client: RemoteClient, host: str) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = CIMultiDict(
            (name, value) for name, value in response.headers.items() if name.lower() not in _NOT_PASSED
        )
        self.host = host
        self._response = response
        self._client = client

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body in pieces.

        Raises UpstreamFailed when the connection breaks, the server falls silent, or a body that is no event stream
        has no end.
        """
        is_stream = self._response.content_type == "text/event-stream"
        received = 0
        try:
            while piece := await self._response.content.readany():
                received += len(piece)
                if received > MAX_BODY_BYTES and not is_stream:
                    raise UpstreamFailed("remote_error-too_large", host=self.host, limit=MAX_BODY_BYTES)
                yield piece
        except BROKEN as error:
            raise self._client.failure(error, self.host) from error


class RemoteClient:
    """The one client of remote servers. Nothing is opened before the first request; `close` ends it."""

    def __init__(
        self,
        *,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        silence_limit_s: float = SILENCE_LIMIT_S,
        proxies_from_environment: bool = False,
    ) -> None:
        self._connect_timeout_s = connect_timeout_s
        self._silence_limit_s = silence_limit_s
        self._proxies_from_environment = proxies_from_environment
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Cut every connection. Idempotent."""
        if self._session is not None:
            await self._session.close()

    @asynccontextmanager
    async def request(self, request: RemoteRequest, key: str | None) -> AsyncIterator[RemoteReply]:
        """Send a request and open its reply, whatever its status.

        Raises UpstreamFailed when the server cannot be reached, is not the one it should be, or redirects elsewhere.
        """
        host = host_of(request.api)
        try:
            response = await self._send(request, _headers(request, key, host))
        except BROKEN as error:
            raise self.failure(error, host) from error
        try:
            yield RemoteReply(response, self, host)
        finally:
            # A reply that was read to its end has given its connection back already; any other is cut.
            response.close()

    def failure(self, error: BaseException, host: str) -> UpstreamFailed:
        """Return the error for what went wrong on the way to `host`."""
        return failure(error, host, connect_timeout_s=self._connect_timeout_s, silence_limit_s=self._silence_limit_s)

    async def _send(self, request: RemoteRequest, headers: Mapping[str, str]) -> aiohttp.ClientResponse:
        """Redirects are followed by hand, since a library that follows them decides what goes along."""
        url = URL(endpoint_url(request.api, request.endpoint))
        timeout = aiohttp.ClientTimeout(connect=self._connect_timeout_s, sock_read=self._silence_limit_s)
        for _ in range(MAX_REDIRECTS + 1):
            response = await self._opened().request(
                request.method, url, data=request.content, headers=headers, allow_redirects=False, timeout=timeout
            )
            if response.status not in _REDIRECTS:
                return response
            response.close()
            url = _redirected(request, url, response.headers.get("Location", ""))
        raise UpstreamFailed("remote_error-redirects", host=host_of(request.api))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=BUFFER_BYTES,
                trust_env=self._proxies_from_environment,
            )
        return self._session


def _headers(request: RemoteRequest, key: str | None, host: str) -> Mapping[str, str]:
    """The headers of a request: the user's own, ours, and the key, which wins over an Authorization of the user's."""
    headers: CIMultiDict[str] = CIMultiDict({"User-Agent": f"Llamero/{__version__}"})
    for name, value in request.api.headers.items():
        if name.lower() in _OURS:
            continue
        if holds_secret(name):
            register_secret(value)
        headers[name] = value
    headers["Accept-Encoding"] = "identity"
    headers[hops.HEADER] = hops.next_via(host)
    if request.content is not None:
        headers["Content-Type"] = request.content_type
    if key is not None:
        register_secret(key)
        headers["Authorization"] = f"Bearer {key}"
    return headers


def _redirected(request: RemoteRequest, url: URL, location: str) -> URL:
    """Where a redirect leads, if it may be followed. Raises UpstreamFailed otherwise.

    A POST would have to be sent a second time, which nobody has asked for; that base URL is for a person to correct.
    """
    try:
        target = url.join(URL(location))
        origin = str(target.origin())
    except ValueError:
        raise UpstreamFailed("remote_error-redirect", host=host_of(request.api), target="") from None
    if request.method != "GET" or target.origin() != url.origin():
        raise UpstreamFailed("remote_error-redirect", host=host_of(request.api), target=origin)
    return target
