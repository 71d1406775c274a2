"""Files that the system opens in an app that runs or still starts, as macOS does: by an event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from llamero.bridge.origin import open_origin
from llamero.commands.app import Core
from llamero.commands.desktop_life import DesktopLife
from llamero.commands.options import Ground, Options
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_store import SettingsStore


@asynccontextmanager
async def page_of_an_app_that_opens(browser: Browser, data_dir: Path, file: Path) -> AsyncIterator[tuple[Core, Page]]:
    """All that is behind a window, with a page in its place; it was asked to open the file before it had started."""
    paths = find_paths(data_dir)
    paths.prepare()
    store = SettingsStore(paths.settings_file, {}, {})
    ground = Ground(paths, store.load(), store)
    with closing(open_origin()) as origin:
        core = Core(ground, origin, Options(), DesktopLife(ground.resolved.settings.desktop, None))
        starting = asyncio.create_task(core.start())
        core.open_file(file)
        page = await browser.new_page()
        try:
            await starting
            await page.goto(origin.window_url)
            yield core, page
        finally:
            await page.close()
            await core.stop()


async def test_file_that_is_opened_before_the_app_has_started_or_later_is_the_model_that_is_asked(
    browser: Browser, tmp_path: Path, think_model: Path, tools_model: Path
) -> None:
    async with page_of_an_app_that_opens(browser, tmp_path / "data", think_model) as (core, page):
        chosen = page.get_by_title("Choose a model")
        await expect(chosen).to_contain_text(think_model.stem)
        core.open_file(tools_model)
        await expect(chosen).to_contain_text(tools_model.stem)


async def test_file_that_is_opened_and_is_no_model_stops_nothing_and_is_told_of(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "half a model.gguf"
    file.write_bytes(b"GGUF")
    async with page_of_an_app_that_opens(browser, tmp_path / "data", file) as (_core, page):
        await expect(page.get_by_role("status").get_by_text("damaged or incomplete")).to_be_visible()
