"""A real browser on the real page, served by the fake bridge. Every test also checks that the page kept its rules.

The rules: no breach of the content policy, no error in a script, no request to anything but the page's own origin.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Request, async_playwright

from tests.conftest import ROOT
from tests.fakes.fake_bridge.scenarios import SCENARIOS
from tests.fakes.fake_bridge.server import FakeBridge

ARTIFACTS = ROOT / "tests" / "artifacts"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update"]
WATCH_POLICY = """
window.breaches = [];
addEventListener('securitypolicyviolation', (event) =>
  window.breaches.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One browser serves all tests here, and it lives in one event loop."""
    for item in items:
        if Path(__file__).parent in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session", autouse=True)
def built_page() -> Path:
    """The page as users get it, built when its sources are newer."""
    subprocess.run([sys.executable, ROOT / "build" / "build_frontend.py"], check=True, timeout=600)
    return ROOT / "frontend" / "dist"


@dataclass
class Opened:
    """A page of the fake, with what it did against the rules."""

    page: Page
    fake: FakeBridge
    errors: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    async def breaches(self) -> list[str]:
        found: list[str] = await self.page.evaluate("() => window.breaches")
        return found


Open = Callable[..., Coroutine[Any, Any, Opened]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser) -> AsyncIterator[Open]:
    """Open the page: `await open_page("busy", width=800, theme="dark", rate=0)`; pass `fake=` for a second window."""
    fakes: list[FakeBridge] = []
    opened: list[Opened] = []

    async def start(
        scenario: str = "busy",
        *,
        fake: FakeBridge | None = None,
        rate: float = 0,
        width: int = 1280,
        height: int = 800,
        theme: str = "light",
        url: str | None = None,
        still: bool = True,
    ) -> Opened:
        if fake is None:
            fake = FakeBridge(SCENARIOS[scenario](), rate=rate)
            await fake.start()
            fakes.append(fake)
        context: BrowserContext = await browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce" if still else "no-preference",
        )
        await context.add_init_script(WATCH_POLICY)
        page = await context.new_page()
        page.set_default_timeout(10_000)
        one = Opened(page, fake)
        origin = fake.origin

        def requested(request: Request) -> None:
            if not request.url.startswith((origin, origin.replace("http", "ws", 1), "data:", "blob:")):
                one.outside.append(request.url)

        page.on("pageerror", lambda error: one.errors.append(str(error)))
        context.on("request", requested)
        opened.append(one)
        await page.goto(url or fake.url)
        return one

    yield start
    breaches = [await one.breaches() for one in opened]
    for one in opened:
        await one.page.context.close()
    for fake in fakes:
        await fake.stop()
    assert [breach for found in breaches for breach in found] == []
    assert [error for one in opened for error in one.errors] == []
    assert [url for one in opened for url in one.outside] == []
