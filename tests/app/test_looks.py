"""How the real app looks in both themes and sizes: nothing too pale, nothing wider than its place, pictures to look at.

Pictures: `tests/artifacts/app-<state>-<theme>-<width>.png`.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from llamero.services.chats.saving import UNSAVED_LIMIT
from tests.app.conftest import OpenWindow
from tests.app.world import ENDLESS, LONG, Window, running_app
from tests.fakes.fake_bridge.scenarios import ANSWER
from tests.fakes.launch import fake_engine
from tests.process.cli import Home
from tests.ui.conftest import ARTIFACTS
from tests.ui.test_looks import POOR_CONTRAST, SIDEWAYS

SIZES = ((1280, 800), (800, 560))
GONE = ["WebSocket connection to", "net::ERR_CONNECTION", "status of 401", "status of 503"]


async def look(window: Window, state: str) -> None:
    """Take pictures of what is shown now, and check it."""
    page = window.page
    ARTIFACTS.mkdir(exist_ok=True)
    for width, height in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        for theme in ("light", "dark"):
            await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            await page.screenshot(path=ARTIFACTS / f"app-{state}-{theme}-{width}.png")
            assert await page.evaluate(POOR_CONTRAST) == [], (state, theme, width)
        assert await page.evaluate(SIDEWAYS) == [], (state, width)
    await page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})
    await page.emulate_media(color_scheme="light")


@pytest.fixture
def broken_download(think_model: Path, tmp_path: Path) -> Path:
    """A model file that ends too early."""
    content = think_model.read_bytes()
    file = tmp_path / "mistral-broken-download.gguf"
    file.write_bytes(content[: len(content) * 2 // 3])
    return file


async def test_first_day_with_the_app(
    home: Home, windows: OpenWindow, think_model: Path, broken_download: Path
) -> None:
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await expect(window.page.locator(".strip")).to_contain_text("RAM")
        await look(window, "first-run")
        await window.button("Try the demo").click()
        await window.answered()
        await window.page.mouse.move(0, 0)
        await look(window, "answered")
        await window.open_model_file(think_model)
        await window.ask(
            "How does a herd find its way over a pass that is under snow, and who decides when it is too late?"
        )
        await expect(window.answers).to_have_count(2)
        await window.answered()
        await window.answers.last.locator(".reasoning summary").click()
        await look(window, "reasoning")
        await window.picker.click()
        await expect(window.page.get_by_role("dialog", name="Models")).to_be_visible()
        await look(window, "models")
        await window.page.keyboard.press("Escape")
        await window.button("Answers and model").click()
        await look(window, "settings")
        await window.page.keyboard.press("Escape")

        await window.new_chat()
        await window.choose_model("demo")
        await look(window, "new-chat")
        await window.set_fields(**ENDLESS)
        await window.ask("Never stop")
        await window.begun()
        await look(window, "streaming")
        await window.page.keyboard.press("Escape")
        await expect(window.button("Send")).to_be_visible()
        await window.new_chat()
        await window.set_fields(**LONG)
        await window.ask_and_kill("Survive this")
        await look(window, "recovered")

        await window.new_chat()
        await window.open_model_file(broken_download)
        await window.ask("Can you hear me?")
        await expect(window.page.get_by_role("alert")).to_contain_text("damaged")
        await look(window, "failed")
        await window.button("Show log").click()
        await expect(window.page.locator("dialog.log")).to_be_visible()
        await look(window, "log")
        await window.page.keyboard.press("Escape")
        await window.picker.click()
        await look(window, "models-failed")
        await window.page.keyboard.press("Escape")

        app.server.process.kill()
        await expect(window.page.locator(".banner")).to_be_visible()
        await look(window, "lost")
        await window.page.close()


async def test_second_day_begins_where_the_first_broke_off(home: Home, windows: OpenWindow, tmp_path: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", words=50_000, tokens_per_second=1000))
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await window.ask("Break off")
        while len(await window.said()) < 2 * UNSAVED_LIMIT:
            pass
        app.server.process.kill()
        await window.page.close()
    with running_app(home) as app:
        window = await windows(app)
        await window.row("Break off").get_by_role("button").first.click()
        await expect(window.page.locator(".mark")).to_be_visible()
        await look(window, "interrupted")
        stale = await windows(app, url=f"{app.origin}/#t=old", tolerated=GONE)
        await expect(stale.page.get_by_role("heading", name="This page has an old key")).to_be_visible()
        await look(stale, "old-key")


async def test_answer_with_everything_and_a_long_list(home: Home, windows: OpenWindow, tmp_path: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine", reply=ANSWER, think=True))
    with running_app(home) as app:
        window = await windows(app)
        for number in range(14):
            await window.new_chat()
            await window.ask(
                f"{number + 1}. A question whose title is as long as questions often are in practice, or longer"
            )
            await expect(window.stats).to_contain_text(re.compile(r"\d tokens"))
        await expect(window.page.locator("answer-text math")).to_have_count(1)
        await look(window, "rich")
        await window.page.get_by_role("searchbox").fill("saddle")
        await expect(window.page.locator(".list mark").first).to_be_visible()
        await look(window, "search")
