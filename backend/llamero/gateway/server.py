"""Serves the gateway."""

from __future__ import annotations

from llamero.http.server import HttpServer


class GatewayServer(HttpServer):
    """The gateway with its listening sockets, which it closes in the end. Stopping ends every stream with a word."""
