"""Puts the gateway together: routes, policy, limits and errors around the services it is given."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from aiohttp import web

from llamero import __version__
from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.limits import Limits
from llamero.gateway.openai import OpenAiRoutes
from llamero.gateway.protocols import Catalog, Inference
from llamero.gateway.slots import StreamSlots
from llamero.http.bodies import expect_later
from llamero.http.middleware import install
from llamero.http.policy import AccessPolicy, response_headers
from llamero.http.server import CONNECTION_OPTIONS, ConnectionOptions
from llamero.models.errors import LlameroError
from llamero.models.llama import ActorSnapshot


def create_gateway(
    inference: Inference,
    catalog: Catalog,
    status: Callable[[], ActorSnapshot],
    policy: AccessPolicy,
    messages: Callable[[LlameroError], str],
    limits: Limits | None = None,
) -> web.Application:
    """Build the gateway. `messages` returns the text of an error for a person. Serve it by `GatewayServer`."""
    limits = limits or Limits()
    envelope = ErrorEnvelope(messages)
    slots = StreamSlots(limits.max_streams)
    app = web.Application()
    app[CONNECTION_OPTIONS] = ConnectionOptions(limits, envelope, response_headers(policy, None))
    install(app, policy, envelope)

    async def health(request: web.Request) -> web.Response:
        servers = [{"model": server.model.alias, "state": server.phase.value} for server in status().servers]
        document = {"status": "ok", "version": __version__, "servers": servers}
        return web.Response(body=msgspec.json.encode(document), content_type="application/json")

    async def end_streams(_: web.Application) -> None:
        slots.close()

    app.router.add_get("/health", health, expect_handler=expect_later)
    OpenAiRoutes(inference, catalog, envelope, slots, limits).install(app)
    app.on_shutdown.append(end_streams)
    return app
