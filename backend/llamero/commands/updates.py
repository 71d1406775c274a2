"""Looking for newer releases, beside a page that shows what was found."""

from __future__ import annotations

import asyncio
import os
import platform
from contextlib import AsyncExitStack

from llamero import __version__
from llamero.application import Application
from llamero.bridge.hub import Hub
from llamero.infrastructure.updates.channel import own_target, read_channel
from llamero.infrastructure.updates.client import UpdateClient
from llamero.services.settings import SettingsService
from llamero.services.updates import UpdateService


def open_updates(app: Application, settings: SettingsService, hub: Hub, stack: AsyncExitStack) -> UpdateService:
    """Tell the page of newer releases; looking for them by itself ends with `stack`."""
    channel = read_channel()
    client = None if channel is None else UpdateClient(channel)
    target = own_target(platform.machine(), os.environ)
    updates = UpdateService(client, __version__, target, app.paths.updates)
    updates.on_change = lambda report: hub.event("update", report)
    if client is not None:
        daily = updates.look_daily(lambda: settings.now.updates.check, asyncio.sleep)
        task = asyncio.create_task(daily, name="updates")
        stack.callback(task.cancel)
    return updates
