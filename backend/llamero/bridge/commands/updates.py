"""Commands about newer releases."""

from __future__ import annotations

from contextlib import suppress

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.about import PlaceName
from llamero.models.errors import IoFailed
from llamero.models.updates import UpdateReport


@command("get_update")
async def get_update(context: Context) -> UpdateReport:
    """What is known of newer releases, without asking anybody."""
    return context.services.updates.report


@command("check_update")
async def check_update(context: Context) -> UpdateReport:
    """Ask whether there is a newer release. Raises NotFound for a build that knows no feed, and UpstreamFailed."""
    return await context.services.updates.check()


@command("download_update")
async def download_update(context: Context) -> UpdateReport:
    """Fetch and verify the newer release, and show it in its folder; nothing is started.

    Raises NotFound, Conflict, UpstreamFailed, IoFailed.
    """
    report = await context.services.updates.download()
    with suppress(IoFailed):  # the page says where it lies, too
        await context.services.about.open_place(PlaceName.UPDATES)
    return report
