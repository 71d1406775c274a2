"""The servers view and the log view on the real app: what is shown is what the engine got, did and wrote."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from llamero.models.llama import Engine
from tests.app.conftest import OpenWindow
from tests.app.world import App, running_app
from tests.fakes.launch import fake_engine, journal, set_switches
from tests.process.cli import Home, until


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return fake_engine(tmp_path_factory.mktemp("engine"))


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, engine: Engine) -> Iterator[App]:
    home = Home(tmp_path_factory.mktemp("app"))
    home.use_engine(engine, 'arguments = ["--threads 2"]\nvariant_arguments = ["--batch-size 256"]\n')
    with running_app(home) as running:
        yield running


async def test_servers_view_follows_an_engine_from_its_start_over_a_crash_to_its_end(
    app: App, engine: Engine, windows: OpenWindow
) -> None:
    page = (await windows(app)).page
    await page.get_by_role("link", name="Servers").click()
    await expect(page.get_by_role("heading", name="No model is running")).to_be_visible()
    await page.get_by_role("button", name="Start demo").click()
    card = page.get_by_role("article", name="demo")
    await expect(card.locator("svg.machine")).to_have_accessible_name(re.compile("Now: Ready"))
    first = journal(engine, "ready")[-1]
    await expect(card.locator(".facts")).to_contain_text(f"{first['pid']} · port {first['port']}")
    await expect(card.locator(".facts")).to_contain_text("MB")
    await card.get_by_text("2 arguments").click()
    await expect(card.locator(".flags tbody tr")).to_have_text(
        ["--threads 2Settings", "--batch-size 256Engine variant"]
    )
    assert "--threads 2 --batch-size 256" in " ".join(journal(engine, "started")[-1]["argv"])
    await card.get_by_text("Output").click()
    await expect(card.locator("server-output")).to_contain_text("server is listening")

    os.kill(first["pid"], signal.SIGKILL)
    await expect(card.get_by_text("Ended unexpectedly once")).to_be_visible()
    await expect(card.locator(".exits")).to_contain_text("killed from outside")
    second = until(lambda: next((e for e in journal(engine, "ready") if e["pid"] != first["pid"]), None))
    await expect(card.locator(".facts")).to_contain_text(str(second["pid"]))

    await card.get_by_role("button", name="Restart").click()
    third = until(lambda: next((e for e in journal(engine, "ready")[2:]), None))
    await expect(card.locator(".facts")).to_contain_text(str(third["pid"]))
    await card.get_by_role("button", name="Unload").click()
    await expect(page.get_by_role("heading", name="No model is running")).to_be_visible()
    assert len(journal(engine, "exits")) == 2


async def test_log_view_shows_engine_and_app_as_the_file_has_them(
    app: App, engine: Engine, windows: OpenWindow
) -> None:
    page = (await windows(app)).page
    await page.get_by_role("link", name="Servers").click()
    await page.get_by_role("button", name="Start demo").click()
    await expect(page.get_by_role("article", name="demo").locator("svg.machine")).to_have_accessible_name(
        re.compile("Now: Ready")
    )
    await page.get_by_role("link", name="Logs").click()
    listening = page.locator(".log-line.is-engine", has_text="server is listening")
    await expect(listening.last).to_be_visible()
    shown = await listening.last.locator(".log-text").text_content()
    log = "".join(file.read_text() for file in (Path(app.home.data) / "logs").iterdir())
    assert f"[demo] {shown}" in log


async def test_log_view_under_a_flood_stays_usable(app: App, engine: Engine, windows: OpenWindow) -> None:
    assert app.home.run("stop", "--all").status == 0
    page = (await windows(app)).page
    set_switches(engine, flood_mb_per_s=50)
    await page.get_by_role("link", name="Servers").click()
    card = page.get_by_role("article", name="demo")
    await page.get_by_role("button", name="Start demo").click()
    await expect(card.locator("svg.machine")).to_have_accessible_name(re.compile("Now: Ready"))
    await page.get_by_role("link", name="Logs").click()
    await expect(page.get_by_text("lines left out").first).to_be_visible()
    search = page.get_by_role("searchbox", name="Show only lines with these words")
    await search.fill("nobody says this")
    await expect(page.get_by_text("No line fits the filter.")).to_be_visible()
    await search.fill("")
    await expect(page.locator(".log-line").first).to_be_attached()
    assert await page.locator(".lines li").count() <= 2000
    await page.get_by_role("link", name="Servers").click()
    await card.get_by_role("button", name="Stop").click()
    await expect(page.get_by_role("heading", name="No model is running")).to_be_visible()
