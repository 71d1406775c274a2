"""What happens around every request: who may come in, what every answer carries, how an error looks, one log line.

Nothing leaves a handler but a response, the client's own disconnection and the loop's cancellation: every error is
answered in the surface's envelope, and a crash by its incident number. The log line has neither query nor body.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from llamero.http.connection import Connection
from llamero.http.errors import ErrorRenderer, crashed, from_http_exception
from llamero.http.policy import (
    AccessPolicy,
    check_content_type,
    check_sender,
    is_preflight,
    preflight_headers,
    response_headers,
)
from llamero.infrastructure.remote.hops import HEADER, note_hops
from llamero.models.errors import LlameroError

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
LISTED_ORIGIN: web.RequestKey[str] = web.RequestKey("listed_origin", str)


def install(app: web.Application, policy: AccessPolicy, errors: ErrorRenderer) -> None:
    """Put an application behind a policy. Call once, before it starts."""

    def guard(request: web.Request) -> web.Response | None:
        """Raise unless the request may come in. Returns the answer to one that only asks whether it may."""
        note_hops(", ".join(request.headers.getall(HEADER, ())))
        listed = check_sender(policy, request.raw_path, request.headers)
        if listed is not None:
            request[LISTED_ORIGIN] = listed
            if is_preflight(request.method, request.headers):
                return web.Response(status=204, headers=preflight_headers(request.headers))
        check_content_type(policy, request.method, request.rel_url.raw_path, request.headers)
        return None

    # One coroutine for all of it: whatever is around a handler is walked through again each time that it is woken.
    @web.middleware
    async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
        connection = request.protocol
        if isinstance(connection, Connection):
            connection.head_arrived()
        started = asyncio.get_running_loop().time()
        outcome: object = "gone"
        try:
            try:
                preflight = guard(request)
                response = await handler(request) if preflight is None else preflight
            except Exception as error:
                response = _error_response(request, errors, error)
            if not request.content.at_eof() and not response.prepared:
                # The rest of the body is not wanted, and the next request could only be found by reading it.
                response.force_close()
            outcome = response.status
            return response
        finally:
            if isinstance(connection, Connection):
                connection.request_done()
            if logger.isEnabledFor(logging.DEBUG):
                elapsed = (asyncio.get_running_loop().time() - started) * 1000
                logger.debug("%s %s %s in %.1f ms", request.method, request.rel_url.raw_path[:200], outcome, elapsed)

    fixed_headers = response_headers(policy, None)

    async def finish_head(request: web.Request, response: web.StreamResponse) -> None:
        own = response.headers.get("Content-Security-Policy")  # a page of ours that may load a little
        listed = request.get(LISTED_ORIGIN)
        response.headers.update(fixed_headers if listed is None else response_headers(policy, listed))
        if own is not None:
            response.headers["Content-Security-Policy"] = own

    app.middlewares.append(observe)
    app.on_response_prepare.append(finish_head)


def client_is_gone(request: web.Request) -> bool:
    """Tell whether there is nobody left to answer."""
    return request.transport is None or request.transport.is_closing()


def _error_response(request: web.Request, errors: ErrorRenderer, error: Exception) -> web.StreamResponse:
    """Answer an error in the surface's envelope. Raises ConnectionResetError where there is nobody to answer."""
    if isinstance(error, LlameroError):
        return _refuse(request, errors, error)
    if isinstance(error, web.HTTPException):
        response = _refuse(request, errors, from_http_exception(error, request))
        if "Allow" in error.headers:
            response.headers["Allow"] = error.headers["Allow"]
        return response
    if client_is_gone(request):
        raise ConnectionResetError("the client is gone") from error
    where = f"{request.method} {request.rel_url.raw_path[:200]}"
    return _refuse(request, errors, crashed(error, where=where))


def _refuse(request: web.Request, errors: ErrorRenderer, error: LlameroError) -> web.Response:
    if request.writer.output_size > 0:
        # Half an answer is out. Cutting the connection is the only way left to say that it is not whole.
        raise ConnectionResetError(str(error)) from error
    return errors.response(error, request.rel_url.raw_path)
