"""Serves the window's origin."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from aiohttp import web

from llamero.bridge.app import TOKENS
from llamero.bridge.capabilities import WindowKind
from llamero.http.server import HttpServer


class BridgeServer(HttpServer):
    """The bridge with its listening sockets, which it closes in the end."""

    def __init__(self, app: web.Application, sockets: Sequence[socket.socket]) -> None:
        super().__init__(app, sockets)
        self._tokens = app[TOKENS]
        self._port: int = sockets[0].getsockname()[1]

    @property
    def url(self) -> str:
        """The address for a browser tab. It lets in whoever has it: for the user's eyes, never for a log."""
        return self._url(WindowKind.TAB)

    @property
    def window_url(self) -> str:
        """The address for the app's own window, which may do more than a tab."""
        return self._url(WindowKind.WINDOW)

    @property
    def port(self) -> int:
        """The port of the page."""
        return self._port

    @property
    def second_start_token(self) -> str:
        """What a second start of Llamero must send; it lets in for `activate` and nothing else."""
        return self._tokens.token(WindowKind.SECOND_START)

    def _url(self, kind: WindowKind) -> str:
        # A fragment is sent to no server and is in no log; the page moves it out of the address bar.
        return f"http://127.0.0.1:{self._port}/#t={self._tokens.token(kind)}"
