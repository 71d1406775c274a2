"""The way for the command line into a Llamero that runs, opened for as long as it runs."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from llamero.application import Application
from llamero.bridge.commands import control_commands
from llamero.bridge.control import ControlContext, ControlServer
from llamero.bridge.hub import Hub
from llamero.bridge.origin import open_origin
from llamero.bridge.server_infos import ServerInfos
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.instance_record import CONTROL_RECORD, Announcement
from llamero.infrastructure.log_feed import process_feed
from llamero.infrastructure.messages import default_messages


async def open_control(app: Application, stack: AsyncExitStack) -> None:
    """Answer the command line until `stack` is closed. Raises IoFailed when its record cannot be written."""
    clock, messages, origin = SystemClock(), default_messages(), open_origin()
    context = ControlContext(
        actor=app.actor,
        engines=app.llama,
        infos=ServerInfos(app.actor, Hub(), clock, messages.error),
        feed=process_feed,
        clock=clock,
        measure=app.metrics.process_metrics,
    )
    server = ControlServer(origin, context, control_commands(), messages.error)
    stack.push_async_callback(server.stop)
    await server.start()
    announcement = Announcement(app.paths.run, port=origin.port, token=origin.command_line_token, name=CONTROL_RECORD)
    await asyncio.to_thread(announcement.publish)
    stack.callback(announcement.withdraw)
