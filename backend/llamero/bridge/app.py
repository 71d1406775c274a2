"""Puts the bridge together: the page, commands, events and blobs behind one policy."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from llamero.bridge.blobs import BlobRoutes, BlobStore
from llamero.bridge.capabilities import WindowKind
from llamero.bridge.commands import all_commands
from llamero.bridge.context import Caller, Context, Services
from llamero.bridge.dispatch import Dispatcher
from llamero.bridge.errors import BridgeErrors
from llamero.bridge.events import EventsRoute
from llamero.bridge.origin import Origin
from llamero.bridge.pages import Pages
from llamero.bridge.policy import BLOBS, BRIDGE_LIMITS, COMMANDS, bridge_policy
from llamero.bridge.registry import Registry
from llamero.bridge.snapshots import make_snapshot
from llamero.http.bodies import expect_later
from llamero.http.errors import ErrorText
from llamero.http.limits import Limits
from llamero.http.middleware import install
from llamero.http.policy import response_headers
from llamero.http.server import CONNECTION_OPTIONS, ConnectionOptions
from llamero.models.bridge import Snapshot


def create_bridge(
    services: Services,
    *,
    origin: Origin,
    frontend: Path,
    blobs: BlobStore,
    messages: ErrorText,
    registry: Registry | None = None,
    limits: Limits = BRIDGE_LIMITS,
) -> web.Application:
    """Build what is served at the window's origin, by an `HttpServer` on its sockets.

    `frontend` is the folder of the built page (`find_frontend`); `messages` returns the text of an error for a person.
    """
    errors = BridgeErrors(messages)
    policy = bridge_policy(origin.port)
    tokens = origin.tokens

    def create_context(caller: Caller) -> Context:
        return Context(services, caller)

    async def create_snapshot(kind: WindowKind) -> Snapshot:
        return await make_snapshot(services, kind)

    dispatcher = Dispatcher(registry or all_commands(), tokens, create_context, limits)
    blob_routes = BlobRoutes(blobs, tokens)
    services.hub.when_forgotten(services.chats.forget_window)

    async def shut_down(_: web.Application) -> None:
        services.hub.close()
        services.server_infos.close()
        await dispatcher.close()
        await services.metrics_push.close()

    async def clean_up(_: web.Application) -> None:
        blobs.close()

    app = web.Application()
    app[CONNECTION_OPTIONS] = ConnectionOptions(limits, errors, response_headers(policy, None))
    install(app, policy, errors)
    router = app.router
    router.add_get(f"{COMMANDS}events", EventsRoute(services.hub, tokens, create_snapshot).handle, allow_head=False)
    router.add_put(BLOBS, blob_routes.put, expect_handler=expect_later)
    router.add_get(f"{BLOBS}/{{handle}}", blob_routes.get)
    router.add_post(f"{COMMANDS}{{command}}", dispatcher.handle, expect_handler=expect_later)
    router.add_get("/{path:.*}", Pages(frontend, errors).handle)
    app.on_shutdown.append(shut_down)
    app.on_cleanup.append(clean_up)
    return app
