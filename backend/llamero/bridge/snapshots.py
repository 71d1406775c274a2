"""The first picture of a page: everything that events then keep current."""

from __future__ import annotations

import asyncio

from llamero import __version__
from llamero.bridge.capabilities import WindowKind
from llamero.bridge.context import Services
from llamero.models.bridge.window import Snapshot, UiState
from llamero.models.metrics import MetricsSnapshot
from llamero.services.chats.attachments import LIMITS

# Under which the preferences keep how the page looks.
UI_STATE = "page"
METRICS_PATIENCE_S = 0.05


async def make_snapshot(services: Services, kind: WindowKind) -> Snapshot:
    """Draw the picture for a window of that kind. Raises IoFailed when the database cannot be read."""
    infos, ui, conversations, metrics = await asyncio.gather(
        services.model_list.now(),
        services.preferences.value(UI_STATE, UiState),
        services.chats.conversations(),
        _metrics(services),
    )
    gateway = services.gateway()
    return Snapshot(
        version=__version__,
        native_dialogs=kind is WindowKind.WINDOW and services.dialogs is not None,
        gateway_url=None if gateway is None else gateway.url,
        models=infos,
        servers=services.server_infos.all(),
        conversations=conversations,
        streaming=services.chats.streaming,
        ui=ui or UiState(),
        attachment_limits=LIMITS,
        metrics=metrics,
        notices=services.notices(),
    )


async def _metrics(services: Services) -> MetricsSnapshot | None:
    """What is measured at once; a page should not wait for a slow sensor, it looks again by itself."""
    try:
        async with asyncio.timeout(METRICS_PATIENCE_S):
            return await services.engines.get_metrics()
    except TimeoutError:
        return None
