"""One client connection: aiohttp's, with a limit on slow headers, bounded send buffers and typed protocol errors.

Requests that aiohttp cannot parse never reach a route or a middleware, so their answers are made here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from llamero.http.errors import ErrorRenderer, crashed
from llamero.http.limits import Limits
from llamero.models.errors import HeadersTooLarge, InvalidRequest, LlameroError, RequestTimedOut

logger = logging.getLogger(__name__)

# aiohttp waits for room after another 64 KiB at the latest, so at most about 128 KiB are held for a slow reader.
SEND_BUFFER_BYTES = 64 * 1024
# For how long the rest of a refused body is read and thrown away, so that the client gets to read the refusal.
LINGER_S = 2.0


class Connection(web.RequestHandler):
    """A client connection. The middleware tells it when a request's head is whole and when its answer is done."""

    __slots__ = ("_awaits_head", "_errors", "_fixed_headers", "_head_timer", "_limits")

    def __init__(
        self, server: web.Server, *, limits: Limits, errors: ErrorRenderer, fixed_headers: Mapping[str, str]
    ) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=limits.idle_timeout_s,
            access_log=cast(Any, None),
            max_line_size=limits.max_header_bytes,
            max_field_size=limits.max_header_bytes,
            max_headers=limits.max_headers,
            lingering_time=LINGER_S,
            auto_decompress=False,
        )
        self._limits = limits
        self._errors = errors
        self._fixed_headers = fixed_headers
        self._awaits_head = True
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Bound what is held for a slow reader."""
        cast(asyncio.WriteTransport, transport).set_write_buffer_limits(high=SEND_BUFFER_BYTES)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Let go of the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Start the clock with the first byte of a request."""
        # Empty lines between requests are allowed, and some clients send one after a body.
        if self._awaits_head and self._head_timer is None and data.strip(b"\r\n"):
            self._head_timer = asyncio.get_running_loop().call_later(self._limits.head_timeout_s, self._head_is_late)
        super().data_received(data)

    def head_arrived(self) -> None:
        """Stop the clock: a request's headers are whole."""
        self._awaits_head = False
        self._stop_timer()

    def request_done(self) -> None:
        """Expect the next request."""
        self._awaits_head = True

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is not HTTP, or is too large to be read, and close the connection."""
        self.head_arrived()
        if isinstance(exc, ConnectionError):  # the client left while we were writing: nobody to answer, nothing wrong
            raise ConnectionResetError(str(exc)) from exc
        error: LlameroError
        if isinstance(exc, LineTooLong):
            error = HeadersTooLarge(limit=self._limits.max_header_bytes)
        elif status < 500:
            logger.debug("not an HTTP request: %s", type(exc).__name__)
            error = InvalidRequest()
        else:
            error = crashed(exc or RuntimeError(message), where="the HTTP server")
        if request.writer.output_size > 0:
            raise ConnectionResetError(str(error))
        response = self._errors.response(error)
        response.headers.update(self._fixed_headers)
        response.force_close()
        return response

    def _head_is_late(self) -> None:
        self._head_timer = None
        if self.transport is None:
            return
        error = RequestTimedOut(seconds=round(self._limits.head_timeout_s))
        self.transport.write(_whole_response(self._errors.response(error), self._fixed_headers))
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def _whole_response(response: web.Response, fixed_headers: Mapping[str, str]) -> bytes:
    """Spell out a response for a connection on which no request was read that it could belong to."""
    body = cast(bytes, response.body)
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **fixed_headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {response.status} {response.reason}\r\n{head}\r\n".encode("latin-1") + body
