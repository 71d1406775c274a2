"""Commands about the settings, and about the program itself."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.about import About, LicenseRef, LicenseSummary, OpenPlace
from llamero.models.build import ThirdPartyLicense
from llamero.models.settings_report import ChangeSetting, SettingsReport


@command("get_settings")
async def get_settings(context: Context) -> SettingsReport:
    """Every setting with where its value comes from."""
    return await context.services.settings.report()


@command("change_setting")
async def change_setting(context: Context, arguments: ChangeSetting) -> SettingsReport:
    """Write a setting into the file. Raises NotFound, InvalidRequest, Conflict, or IoFailed."""
    report = await context.services.settings.change(arguments.path, arguments.value)
    context.services.hub.event("settings", report, but=context.caller.window)
    return report


@command("get_about")
async def get_about(context: Context) -> About:
    """Build, engine, places."""
    return await context.services.about.about()


@command("list_licenses")
async def list_licenses(context: Context) -> tuple[LicenseSummary, ...]:
    """Whose work is part of Llamero, by name."""
    return await context.services.about.licenses()


@command("get_license")
async def get_license(context: Context, arguments: LicenseRef) -> ThirdPartyLicense:
    """The text of a license. Raises NotFound."""
    return await context.services.about.license(arguments.name)


@command("open_place")
async def open_place(context: Context, arguments: OpenPlace) -> None:
    """Show a folder of Llamero's in the system's own program. Raises IoFailed."""
    await context.services.about.open_place(arguments.place)
