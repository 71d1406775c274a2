"""Sees an answer that may be a stream to its end, in whatever dialect.

Invariants: while nothing has been sent an error is raised, so that it can be an answer with a status of its own; after
that it is one last event; leaving, by whatever way, lets go of the engine; a client that is gone is told nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from llamero.gateway.slots import RETRY_AFTER_S
from llamero.gateway.sse import EVENT_HEADERS, EventStream
from llamero.gateway.surface import Surface
from llamero.http.errors import crashed
from llamero.http.middleware import client_is_gone
from llamero.models.errors import LlameroError, Unavailable
from llamero.services.inspection.notes import note_failure

# How long a last word to a slow reader may take while we are closing.
LAST_WORD_S = 0.5

Answering = Callable[[EventStream], Awaitable[web.StreamResponse]]


async def deliver(
    request: web.Request,
    surface: Surface,
    answering: Answering,
    *,
    error_event: Callable[[LlameroError], bytes],
    held: bool,
    headers: Mapping[str, str] = EVENT_HEADERS,
) -> web.StreamResponse:
    """Answer a request, by events or otherwise. Raises `LlameroError` only while nothing has been sent.

    `held`: the client wants events, so it is told by comments that they will come while it has to wait.
    `error_event` is the dialect's last event of a stream that breaks off, `headers` those of a stream that begins.
    """
    silence_s = surface.limits.silence_s if held else None
    async with EventStream(request, silence_s=silence_s, headers=headers) as stream:
        try:
            return await answering(stream)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not surface.slots.closing or client_is_gone(request) or task is None:
                raise
            task.uncancel()
            failure: LlameroError = Unavailable("server_error-shutting_down", retry_after=RETRY_AFTER_S)
        except LlameroError as error:
            failure = error
        except Exception as error:
            if client_is_gone(request) or stream.response is None:
                raise
            failure = crashed(error, where="a stream")
        if stream.response is None:
            raise failure
        if client_is_gone(request):
            raise ConnectionResetError("the client is gone") from failure
        note_failure(failure)
        async with asyncio.timeout(LAST_WORD_S if surface.slots.closing else None):
            await stream.forward(error_event(failure))
            return await stream.end()
