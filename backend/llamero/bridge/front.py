"""The window's origin: the page from the first moment, and the core behind it as soon as there is one.

A browser takes as long to load the page and to run it as the core's services take to start, so neither waits for the
other. What is asked of the core before it is there waits for it; once the origin shuts down, that is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from aiohttp import web

from llamero.bridge.errors import BridgeErrors
from llamero.bridge.origin import Origin
from llamero.bridge.pages import Pages
from llamero.bridge.policy import BLOBS, BRIDGE_LIMITS, COMMANDS, bridge_policy
from llamero.http.bodies import expect_later
from llamero.http.errors import ErrorText
from llamero.http.limits import Limits
from llamero.http.middleware import Handler, install
from llamero.http.policy import response_headers
from llamero.http.server import CONNECTION_OPTIONS, ConnectionOptions, HttpServer
from llamero.models.errors import Unavailable


class CoreRoutes(NamedTuple):
    """What answers for the core. `close` ends every connection and command under way, `clean_up` comes after them."""

    events: Handler
    command: Handler
    put_blob: Handler
    get_blob: Handler
    close: Callable[[], Awaitable[None]]
    clean_up: Callable[[], None]


class Front:
    """The server of the window's origin. Belongs to one event loop.

    `frontend` is the folder of the built page (`find_frontend`); `messages` returns the text of an error for a person.
    """

    def __init__(self, origin: Origin, *, frontend: Path, messages: ErrorText, limits: Limits = BRIDGE_LIMITS) -> None:
        self.origin = origin
        self.limits = limits
        self._core: asyncio.Future[CoreRoutes] = asyncio.get_running_loop().create_future()
        self._server = HttpServer(self._application(frontend, BridgeErrors(messages)), origin.sockets)

    async def start(self) -> None:
        """Serve the page from now on. Raises `OSError` where a socket cannot listen."""
        await self._server.start()

    def connect(self, core: CoreRoutes) -> None:
        """Let the core answer from now on, also what has been asked already."""
        if not self._core.done():
            self._core.set_result(core)

    async def stop(self) -> None:
        """Stop listening, end the core's connections and commands, and refuse those who still wait. Idempotent."""
        await self._server.stop()

    def _application(self, frontend: Path, errors: BridgeErrors) -> web.Application:
        policy = bridge_policy(self.origin.port)
        app = web.Application()
        app[CONNECTION_OPTIONS] = ConnectionOptions(self.limits, errors, response_headers(policy, None))
        install(app, policy, errors)
        router = app.router
        router.add_get(f"{COMMANDS}events", self._events, allow_head=False)
        router.add_put(BLOBS, self._put_blob, expect_handler=expect_later)
        router.add_get(f"{BLOBS}/{{handle}}", self._get_blob)
        router.add_post(f"{COMMANDS}{{command}}", self._command, expect_handler=expect_later)
        router.add_get("/{path:.*}", Pages(frontend, errors).handle)
        app.on_shutdown.append(self._shut_down)
        app.on_cleanup.append(self._clean_up)
        return app

    async def _events(self, request: web.Request) -> web.StreamResponse:
        return await (await self._when_there()).events(request)

    async def _command(self, request: web.Request) -> web.StreamResponse:
        return await (await self._when_there()).command(request)

    async def _put_blob(self, request: web.Request) -> web.StreamResponse:
        return await (await self._when_there()).put_blob(request)

    async def _get_blob(self, request: web.Request) -> web.StreamResponse:
        return await (await self._when_there()).get_blob(request)

    async def _when_there(self) -> CoreRoutes:
        try:
            return await asyncio.shield(self._core)
        except asyncio.CancelledError:
            if self._core.cancelled():
                raise Unavailable("server_error-shutting_down") from None
            raise

    async def _shut_down(self, _: web.Application) -> None:
        self._core.cancel()  # without effect once the core is there
        if not self._core.cancelled():
            await self._core.result().close()

    async def _clean_up(self, _: web.Application) -> None:
        if not self._core.cancelled():
            self._core.result().clean_up()
