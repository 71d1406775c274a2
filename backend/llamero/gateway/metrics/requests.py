"""Counts requests, as the outermost layer: what is seen here is what the client gets."""

from __future__ import annotations

import asyncio

from aiohttp import web

from llamero.gateway.access import route_of
from llamero.gateway.dialects import dialect_of
from llamero.gateway.metrics.counts import Counts
from llamero.http.middleware import Handler

UNKNOWN_ROUTE = "unknown"
GONE = "gone"


def install_counting(app: web.Application, counts: Counts) -> None:
    """Count every request from now on."""

    @web.middleware
    async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began, status = loop.time(), GONE
        try:
            response = await handler(request)
            status = str(response.status)
            return response
        finally:
            route = route_of(request) or UNKNOWN_ROUTE
            counts.requests[route, dialect_of(route), status] += 1
            counts.seconds[route].observe(loop.time() - began)

    app.middlewares.insert(0, count)
