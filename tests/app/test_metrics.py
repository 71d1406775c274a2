"""The metrics view of the real app: what an answer does to the curves, and what is left of them after a restart."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Any

from playwright.async_api import Page, expect

from tests.app.conftest import OpenWindow
from tests.app.test_looks import look
from tests.app.world import running_app
from tests.fakes.launch import fake_engine
from tests.process.cli import Home

GONE = ["WebSocket connection to", "net::ERR_CONNECTION", "status of 401", "status of 503"]


async def open_metrics(page: Page) -> None:
    await page.get_by_title("Open the metrics").click()
    await expect(page.locator("[data-plot=cpu] canvas")).to_be_visible()


async def column(page: Page, plot: str, number: int) -> list[float | None]:
    found: list[float | None] = await page.evaluate(
        "([plot, number]) => [...document.querySelector(`[data-plot='${plot}']`).chart.data[number]]", [plot, number]
    )
    return found


async def highest(page: Page, plot: str, at_least: float) -> float:
    """The highest value of a chart's first line, once it is that high."""
    seen: list[float] = []
    for _ in range(600):
        if await page.locator(f"[data-plot='{plot}'] canvas").count():
            seen = [value for value in await column(page, plot, 1) if value is not None]
            if seen and max(seen) >= at_least:
                return max(seen)
        await page.wait_for_timeout(25)
    raise AssertionError(f"{plot}: {seen}")


async def test_answer_is_seen_in_the_curves_of_speed_and_requests(
    home: Home, windows: OpenWindow, tmp_path: Path
) -> None:
    rate: dict[str, Any] = {"words": 100_000, "tokens_per_second": 200}
    home.use_engine(fake_engine(tmp_path / "engine", **rate))
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await window.ask("How fast are you?")
        await window.begun()
        await open_metrics(window.page)
        speed = await highest(window.page, "speed", 100)
        assert speed < 300
        assert await highest(window.page, "requests", 1) == 1
        assert 0 < await highest(window.page, "first", 0.001) < 30
        card = window.page.get_by_role("region", name="demo")
        await expect(card).to_contain_text(re.compile(r"RAM\s*\d+\.\d [MG]B"))
        await look(window, "metrics")
        app.server.end(signal.SIGINT)
        await window.page.close()


async def test_past_is_there_after_a_restart(home: Home, windows: OpenWindow) -> None:
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await open_metrics(window.page)
        for _ in range(400):
            if len(before := await column(window.page, "cpu", 0)) > 3:
                break
            await window.page.wait_for_timeout(25)
        assert app.server.end(signal.SIGINT).status == 0
        await window.page.close()
    with running_app(home) as app:
        window = await windows(app)
        await open_metrics(window.page)
        await window.page.get_by_text("24 h", exact=True).click()
        for _ in range(400):
            times = [at for at in await column(window.page, "cpu", 0) if at is not None]
            if times and times[0] <= (before[-1] or 0):
                return
            await window.page.wait_for_timeout(25)
        raise AssertionError((before, times))
