"""One browser for all journeys, one app for each module, one window or more for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.app.world import WAIT_MS, App, Window, open_window, running_app
from tests.process.cli import Home
from tests.ui.conftest import CHROMIUM, FLAGS, built_page

__all__ = ["built_page"]

OpenWindow = Callable[..., Awaitable[Window]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser lives in one event loop, so all tests here do."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """A Llamero with the embedded engine, shared by the tests of a module; each begins a chat of its own."""
    home = Home(tmp_path_factory.mktemp("app"))
    with running_app(home) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A place for a Llamero that one test has for itself."""
    home = Home(tmp_path)
    yield home
    home.end_all()


@pytest_asyncio.fixture(loop_scope="session")
async def windows(browser: Browser) -> AsyncIterator[OpenWindow]:
    """`await windows(app)` opens one; in the end none of them may have done anything against the rules."""
    opened: list[Window] = []

    async def start(app: App, **options: Any) -> Window:
        window = await open_window(browser, app, **options)
        opened.append(window)
        return window

    yield start
    for window in opened:
        await window.page.context.close()
    assert [wrong for window in opened for wrong in window.wrongs] == []


@pytest_asyncio.fixture(loop_scope="session")
async def window(app: App, windows: OpenWindow) -> Window:
    """A window on the module's app, with a chat that has not begun."""
    one = await windows(app)
    await expect(one.page.locator(".conversation-row, .list-note").first).to_be_visible()
    await one.new_chat()
    return one
