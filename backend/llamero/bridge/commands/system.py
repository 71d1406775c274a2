"""Commands about the app as a whole: the first picture, links, how the page looks, a second start."""

from __future__ import annotations

import os

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.bridge.snapshots import UI_STATE, make_snapshot
from llamero.models.bridge.window import OpenLink, SavedFile, SaveFile, SetUiState, Snapshot
from llamero.models.desktop import Activate, Activated
from llamero.models.errors import NotAvailable


@command("get_snapshot")
async def get_snapshot(context: Context) -> Snapshot:
    """All that a page needs to draw itself."""
    return await make_snapshot(context.services, context.caller.kind)


@command("open_link")
async def open_link(context: Context, arguments: OpenLink) -> None:
    """Open a link outside. Raises InvalidRequest for one that may not be."""
    await context.services.links.open(arguments.url)


@command("save_file")
async def save_file(context: Context, arguments: SaveFile) -> SavedFile:
    """Let the user choose where to put a blob, and put it there. Raises NotAvailable, NotFound, or IoFailed."""
    services = context.services
    if services.dialogs is None:
        raise NotAvailable(command="save_file")
    place = await services.dialogs.choose_place(arguments.name)
    if place is not None:
        await services.blobs.save(arguments.handle, place)
    return SavedFile(path=None if place is None else str(place))


@command("set_ui_state")
async def set_ui_state(context: Context, arguments: SetUiState) -> None:
    """Remember how the page looks, and tell the other windows."""
    await context.services.preferences.set_value(UI_STATE, arguments.ui)
    context.services.hub.event("ui", arguments.ui, but=context.caller.window)


@command("activate")
async def activate(context: Context, arguments: Activate) -> Activated:
    """Come forward, because a second start hands over what it was asked for. Raises NotAvailable without a window."""
    if context.services.activate is None:
        raise NotAvailable(command="activate")
    await context.services.activate(arguments)
    return Activated(pid=os.getpid())
