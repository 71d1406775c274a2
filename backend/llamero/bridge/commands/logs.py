"""Commands about the log: watch it, open its file."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.errors import NotAvailable
from llamero.models.logs import LogLines
from llamero.models.supervision import LogHistory, WatchLogs


@command("watch_logs")
async def watch_logs(context: Context, arguments: WatchLogs) -> LogHistory:
    """Get the last lines and, as the event `logs`, those that follow; or stop watching. Ends with the page."""
    services, window = context.services, context.caller.own_window()
    path = None if services.log_file is None else str(services.log_file.path)
    if arguments.watching:
        return LogHistory(path=path, history=services.log_push.watch(window))
    services.log_push.leave(window)
    return LogHistory(path=path, history=LogLines(first=0, lines=()))


@command("open_log_file")
async def open_log_file(context: Context) -> None:
    """Show the log's file in the user's own text editor. Raises NotAvailable or IoFailed."""
    log_file = context.services.log_file
    if log_file is None:
        raise NotAvailable(command="open_log_file")
    await log_file.open()
