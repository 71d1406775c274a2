"""`POST /bridge/<command>`: token, capability, arguments, the command, its result.

A command runs to its end even when the page that called it has gone: half a command must not depend on a reload.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable

import msgspec
from aiohttp import web

from llamero.bridge.arguments import decode_arguments
from llamero.bridge.capabilities import WindowKind, check_capability
from llamero.bridge.context import WINDOW_HEADER, Caller
from llamero.bridge.registry import Command, Registry
from llamero.bridge.tokens import Tokens
from llamero.http.bodies import read_body
from llamero.http.errors import crashed
from llamero.http.limits import Limits
from llamero.models.errors import InvalidRequest, LlameroError, RateLimited, Unavailable

logger = logging.getLogger(__name__)

MAX_RUNNING = 256
_WINDOW_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

ContextFactory = Callable[[Caller], object]


class Dispatcher:
    """Answers commands. `create_context` makes what a command gets as its first argument."""

    def __init__(self, registry: Registry, tokens: Tokens, create_context: ContextFactory, limits: Limits) -> None:
        self._registry = registry
        self._tokens = tokens
        self._create_context = create_context
        self._limits = limits
        self._running: set[asyncio.Task[object]] = set()
        self._closing = False

    async def handle(self, request: web.Request) -> web.Response:
        """Answer one command. Raises LlameroError."""
        kind = self._tokens.of_request(request.headers)
        command = self._registry.find(request.match_info["command"])
        check_capability(kind, command.name)
        caller = Caller(kind, _window_of(request, kind))
        if self._closing:
            raise Unavailable("server_error-shutting_down")
        if len(self._running) >= MAX_RUNNING:
            raise RateLimited(limit=MAX_RUNNING, retry_after=1.0)
        arguments = decode_arguments(command.decoder, await read_body(request, self._limits))
        result = await self._run(command, caller, arguments)
        body = msgspec.json.encode(result)
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def close(self) -> None:
        """End every command that still runs."""
        self._closing = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _run(self, command: Command, caller: Caller, arguments: msgspec.Struct) -> object:
        task = asyncio.ensure_future(command(self._create_context(caller), arguments))
        self._running.add(task)
        task.add_done_callback(self._done)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():  # by `close`; the page is still there to be told
                raise Unavailable("server_error-shutting_down") from None
            task.add_done_callback(lambda ended: _log_unheard(command.name, ended))
            raise
        except LlameroError:
            raise
        except Exception as error:
            raise crashed(error, where=f"the command {command.name}") from error

    def _done(self, task: asyncio.Task[object]) -> None:
        self._running.discard(task)


def _window_of(request: web.Request, kind: WindowKind) -> str | None:
    """The window that calls, as the hub knows it; None where the page did not say."""
    given = request.headers.get(WINDOW_HEADER)
    if given is None:
        return None
    if not _WINDOW_ID.fullmatch(given):
        raise InvalidRequest("bridge_error-wrong_argument", param=WINDOW_HEADER, reason="not an id of a window")
    return window_key(kind, given)


def window_key(kind: WindowKind, window: str) -> str:
    """The hub's name of a window. Kinds are apart, so that no tab can take the place of the app's own window."""
    return f"{kind}:{window}"


def _log_unheard(name: str, task: asyncio.Task[object]) -> None:
    """Say what became of a command whose caller has gone."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, LlameroError):
        logger.info("the command %s failed after its page had gone: %s", name, error)
    elif error is not None:
        crashed(error, where=f"the command {name}")
