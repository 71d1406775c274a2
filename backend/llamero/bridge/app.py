"""Puts the core behind the window's origin: commands, events and blobs."""

from __future__ import annotations

from llamero.bridge.blobs import BlobRoutes, BlobStore
from llamero.bridge.capabilities import WindowKind
from llamero.bridge.commands import all_commands
from llamero.bridge.context import Caller, Context, Services
from llamero.bridge.dispatch import Dispatcher
from llamero.bridge.events import EventsRoute
from llamero.bridge.front import CoreRoutes, Front
from llamero.bridge.registry import Registry
from llamero.bridge.snapshots import make_snapshot
from llamero.models.bridge.window import Snapshot


def connect_core(front: Front, services: Services, blobs: BlobStore, *, registry: Registry | None = None) -> None:
    """Let the services answer what is asked at the window's origin, until the front stops. Call once."""
    tokens = front.origin.tokens

    def create_context(caller: Caller) -> Context:
        return Context(services, caller)

    async def create_snapshot(kind: WindowKind) -> Snapshot:
        return await make_snapshot(services, kind)

    dispatcher = Dispatcher(registry or all_commands(), tokens, create_context, front.limits)
    blob_routes = BlobRoutes(blobs, tokens)
    services.hub.when_forgotten(services.chats.forget_window)

    async def close() -> None:
        services.hub.close()
        services.server_infos.close()
        services.requests_push.close()
        await dispatcher.close()
        await services.metrics_push.close()
        await services.log_push.close()

    front.connect(
        CoreRoutes(
            events=EventsRoute(services.hub, tokens, create_snapshot).handle,
            command=dispatcher.handle,
            put_blob=blob_routes.put,
            get_blob=blob_routes.get,
            close=close,
            clean_up=blobs.close,
        )
    )
