"""The settings view of the real app: a change is in the file, counts after a restart, and says so until then."""

from __future__ import annotations

import signal

from playwright.async_api import Page, expect

from tests.app.conftest import OpenWindow
from tests.app.test_looks import look
from tests.app.world import running_app
from tests.process.cli import Home

GONE = ["WebSocket connection to", "net::ERR_CONNECTION", "status of 401", "status of 503"]
FILE = "# Mine.\n\n[servers]\nmax_loaded = 2 # not more\n"


async def open_group(page: Page, group: str) -> None:
    await page.get_by_role("link", name="Settings").click()
    await page.get_by_role("button", name=group, exact=True).click()


async def test_setting_that_is_changed_in_the_page_counts_after_a_restart(home: Home, windows: OpenWindow) -> None:
    home.data.mkdir(parents=True, exist_ok=True)
    file = home.data / "settings.toml"
    file.write_text(FILE)
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await open_group(window.page, "Models")
        await expect(window.page.get_by_label("Models loaded at once", exact=True)).to_have_value("2")
        await window.page.get_by_label("Models loaded at once", exact=True).fill("3")
        await window.page.keyboard.press("Tab")
        await expect(window.page.get_by_text("Still 2 until Llamero is started again.")).to_be_visible()
        await look(window, "preferences")
        assert file.read_text() == FILE.replace("= 2", "= 3")
        await open_group(window.page, "Gateway")
        await expect(window.page.get_by_label("Port", exact=True)).to_be_disabled()  # `--port 0` decides
        app.server.end(signal.SIGINT)
        await window.page.close()
    with running_app(home) as app:
        window = await windows(app)
        await open_group(window.page, "Models")
        await expect(window.page.get_by_label("Models loaded at once", exact=True)).to_have_value("3")
        await expect(window.page.get_by_text("until Llamero is started again")).to_have_count(0)


async def test_about_of_the_real_app_names_its_engine_and_shows_a_license(home: Home, windows: OpenWindow) -> None:
    with running_app(home) as app:
        window = await windows(app)
        await open_group(window.page, "About")
        await expect(window.page.locator(".about")).to_contain_text("Built in (cpu), version")
        await expect(window.page.locator(".places")).to_contain_text(str(home.data))
        await window.button("Show licenses").click()
        await window.page.get_by_role("button", name="msgspec").click()
        await expect(window.page.get_by_role("dialog")).to_contain_text("Redistribution and use")
        await window.page.keyboard.press("Escape")
        await look(window, "about")
