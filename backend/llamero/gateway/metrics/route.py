"""The route."""

from __future__ import annotations

from aiohttp import web

from llamero.gateway.metrics.exposition import Exposition
from llamero.http.bodies import expect_later


class MetricsRoute:
    """`GET /metrics`."""

    def __init__(self, exposition: Exposition) -> None:
        self._exposition = exposition

    def install(self, app: web.Application) -> None:
        """Add the route."""
        app.router.add_get("/metrics", self.metrics, expect_handler=expect_later)

    async def metrics(self, request: web.Request) -> web.Response:
        """Everything, as text."""
        page, content_type = self._exposition.page()
        return web.Response(body=page, headers={"Content-Type": content_type})
