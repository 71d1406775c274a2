"""Commands about the hardware: who looks, and its past."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.bridge.metrics import ExportMetrics, GetMetricsHistory, WatchMetrics
from llamero.models.metrics_history import MetricsExport, MetricsHistory


@command("watch_metrics")
async def watch_metrics(context: Context, arguments: WatchMetrics) -> None:
    """Look at the hardware, or stop looking. Ends with the page."""
    context.services.metrics_push.watch(context.caller.own_window(), arguments.watching, closely=arguments.closely)


@command("get_metrics_history")
async def get_metrics_history(context: Context, arguments: GetMetricsHistory) -> MetricsHistory:
    """What was measured in a range, or what of it came after a time. Raises IoFailed."""
    history = context.services.history
    return await history.history(arguments.range, after=arguments.after, cores=arguments.cores)


@command("export_metrics")
async def export_metrics(context: Context, arguments: ExportMetrics) -> MetricsExport:
    """All that was measured in a range, every core included, for a file. Raises IoFailed."""
    return await context.services.history.export(arguments.range)
