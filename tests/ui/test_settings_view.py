"""What a person does in the settings view, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Locator, expect

from llamero.infrastructure.settings_schema import schema
from llamero.services.updates import UpdateService
from tests.ui.conftest import Open, Opened
from tests.ui.test_chat_journey import last_call


async def open_group(one: Opened, group: str) -> None:
    await one.page.get_by_role("link", name="Settings").click()
    await one.page.get_by_role("button", name=group, exact=True).click()


def row(one: Opened, label: str) -> Locator:
    return one.page.locator(".setting", has=one.page.get_by_label(label, exact=True))


def file_of(one: Opened) -> Path:
    return Path(one.fake.world.folder.name) / "settings.toml"


async def test_settings_view_shows_every_setting_in_one_of_its_groups(open_page: Open) -> None:
    one = await open_page("busy")
    await one.page.get_by_role("link", name="Settings").click()
    await expect(one.page.locator(".setting").first).to_be_visible()
    shown: list[str] = []
    for group in await one.page.locator(".settings-group").all():
        await group.click()
        ids = "(fields) => fields.map((field) => field.id).filter((id) => id.startsWith('setting-'))"
        shown += await one.page.locator(".setting :is(input, textarea)").evaluate_all(ids)
    assert sorted(shown) == sorted(f"setting-{key.path}" for key in schema())


async def test_settings_view_says_where_each_value_comes_from(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Gateway")
    await expect(row(one, "Port")).to_contain_text("From the settings file")
    await expect(row(one, "Address")).to_contain_text("From the command line")
    await expect(one.page.get_by_label("Address")).to_be_disabled()
    await expect(row(one, "Largest request")).to_contain_text("Default")
    await open_group(one, "Metrics & privacy")
    every = row(one, "Read the hardware every")
    await expect(every).to_contain_text("From the environment (LLAMERO_METRICS_IDLE_INTERVAL_S)")
    await expect(every.get_by_role("spinbutton")).to_be_disabled()


async def test_setting_that_is_changed_is_written_and_says_that_a_restart_is_needed(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Gateway")
    await one.page.get_by_label("Port", exact=True).fill("7000")
    await one.page.keyboard.press("Tab")
    await expect(row(one, "Port")).to_contain_text("Still 6001 until Llamero is started again.")
    await expect(one.page.get_by_role("status").filter(has_text="One change counts")).to_be_visible()
    assert "port = 7000  # the printer has 5526" in file_of(one).read_text()
    await one.page.get_by_role("button", name="Use the default: 5526 (Port)").click()
    await expect(one.page.get_by_label("Port", exact=True)).to_have_value("5526")
    assert last_call(one.fake, "change_setting") == {"path": "gateway.port", "value": None}


async def test_setting_out_of_range_stays_in_the_field_and_is_not_sent(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Gateway")
    await one.page.get_by_label("Port", exact=True).fill("70000")
    await one.page.keyboard.press("Tab")
    await expect(one.page.get_by_label("Port", exact=True)).to_have_value("70000")
    assert [name for name, _ in one.fake.calls if name == "change_setting"] == []


async def test_setting_that_is_refused_says_why_and_shows_what_counts(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "General")
    await one.page.get_by_label("Engine variant").fill("../elsewhere")
    await one.page.keyboard.press("Tab")
    await expect(one.page.locator(".toast")).to_contain_text("This needs a name of letters")
    await expect(one.page.get_by_label("Engine variant")).to_have_value("")


async def test_list_of_folders_is_written_one_to_a_line(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Models")
    await one.page.get_by_label("Folders with models").fill("/srv/my models\n\n  ~/llamas")
    await one.page.keyboard.press("Tab")
    await expect(row(one, "Folders with models")).to_contain_text("From the settings file")
    assert last_call(one.fake, "change_setting")["value"] == ["/srv/my models", "~/llamas"]


async def test_switch_is_turned_by_keyboard_and_counts_at_once(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Desktop")
    switch = one.page.get_by_role("switch", name="Close to the tray")
    await switch.focus()
    await one.page.keyboard.press("Space")
    await expect(switch).to_be_checked()
    await expect(row(one, "Close to the tray")).to_contain_text("From the settings file")
    await expect(row(one, "Close to the tray")).not_to_contain_text("until Llamero is started again")
    assert "close_to_tray = true" in file_of(one).read_text()


async def test_theme_is_chosen_and_remembered(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "General")
    await one.page.get_by_text("Dark", exact=True).click()
    await expect(one.page.locator("html")).to_have_attribute("data-theme", "dark")
    assert last_call(one.fake, "set_ui_state")["ui"]["theme"] == "dark"


async def test_change_in_another_window_is_shown(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "Desktop")
    await expect(one.page.get_by_role("switch", name="Notifications")).to_be_checked()
    one.fake.event("settings", await one.fake.world.settings.change("desktop.notify", False))
    await expect(one.page.get_by_role("switch", name="Notifications")).not_to_be_checked()


async def test_about_says_what_this_is_and_opens_folders_in_the_window_only(open_page: Open) -> None:
    one = await open_page("first-run")
    await open_group(one, "About")
    await expect(one.page.get_by_role("heading", name="Llamero 0.1.0")).to_be_visible()
    await expect(one.page.locator(".about")).to_contain_text("0123456789ab")
    await expect(one.page.locator(".about")).to_contain_text("2026-11-20")
    await expect(one.page.get_by_role("button", name="Open Log")).to_have_count(0)
    one.fake.world.native_dialogs = True
    await one.page.reload()
    await open_group(one, "About")
    await one.page.get_by_role("button", name="Open Log").click()
    assert last_call(one.fake, "open_place") == {"place": "logs"}


async def test_license_of_another_work_is_read_and_closed_by_escape(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "About")
    await one.page.get_by_role("button", name="Show licenses").click()
    await one.page.get_by_role("button", name="msgspec").click()
    await expect(one.page.get_by_role("dialog")).to_contain_text("Redistribution and use")
    await one.page.keyboard.press("Escape")
    await expect(one.page.get_by_role("dialog")).to_have_count(0)
    await one.page.get_by_role("button", name="PySide6_Essentials").click()
    await expect(one.page.get_by_role("dialog")).to_contain_text("no text of its license")


async def test_update_is_looked_for_when_asked_and_its_page_opened(open_page: Open) -> None:
    one = await open_page("first-run")
    await open_group(one, "About")
    await one.page.get_by_role("button", name="Check for updates").click()
    await expect(one.page.get_by_text("Llamero 0.2.0 is available.")).to_be_visible()
    await expect(one.page.get_by_role("button", name="Download")).to_have_count(0)  # a tab does not
    await one.page.get_by_role("button", name="Read about it").click()
    assert last_call(one.fake, "open_link") == {"url": "https://example.com/releases/0.2.0"}


async def test_update_is_downloaded_in_the_window_and_shown_in_its_folder(open_page: Open) -> None:
    one = await open_page("busy")
    await open_group(one, "About")
    await one.page.get_by_role("button", name="Check for updates").click()
    await one.page.get_by_role("button", name="Download 93.5 MB").click()
    await expect(one.page.locator(".about-update")).to_contain_text("Downloaded and verified:")
    await one.page.get_by_role("button", name="Show in folder").click()
    assert last_call(one.fake, "open_place") == {"place": "updates"}


async def test_update_that_cannot_be_looked_for_says_why(open_page: Open) -> None:
    one = await open_page("busy")
    one.fake.world.updates = UpdateService(None, "0.1.0", "", Path())
    await open_group(one, "About")
    await expect(one.page.locator(".about-update")).to_contain_text("does not know where releases are told of")
