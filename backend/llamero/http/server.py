"""Serves an application on sockets that somebody else has opened, and stops within seconds whatever clients do."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiohttp import web

from llamero.http.connection import Connection
from llamero.http.errors import ErrorRenderer
from llamero.http.limits import Limits

SHUTDOWN_TIMEOUT_S = 2.0
BACKLOG = 128


class ConnectionOptions(NamedTuple):
    """What connections of an application are made with."""

    limits: Limits
    errors: ErrorRenderer
    fixed_headers: Mapping[str, str]


CONNECTION_OPTIONS: web.AppKey[ConnectionOptions] = web.AppKey("connection_options", ConnectionOptions)


class HttpServer:
    """An application with its listening sockets, which it closes in the end."""

    def __init__(self, app: web.Application, sockets: Sequence[socket.socket]) -> None:
        self._options = app[CONNECTION_OPTIONS]
        # A client that goes away cancels its handler, and by that the engine's work.
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
        self._sockets = tuple(sockets)
        self._listeners: list[asyncio.Server] = []

    async def start(self) -> None:
        """Accept connections from now on. Raises `OSError` where a socket cannot listen."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        try:
            for listening in self._sockets:
                self._listeners.append(await loop.create_server(self._connection, sock=listening, backlog=BACKLOG))
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop accepting, end every stream with an error that says so, and close all connections. Idempotent."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()
        for listening in self._sockets:
            listening.close()
        await self._runner.cleanup()

    def _connection(self) -> Connection:
        server = self._runner.server
        if server is None:
            raise RuntimeError("the server has been stopped")
        return Connection(
            server,
            limits=self._options.limits,
            errors=self._options.errors,
            fixed_headers=self._options.fixed_headers,
        )
