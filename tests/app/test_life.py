"""The app's own life as its page sees it: the first start, the end, and starts after it."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from llamero.services.chats.saving import UNSAVED_LIMIT
from tests.app.conftest import OpenWindow
from tests.app.world import DATABASE, agree, running_app, stored_answers, words
from tests.fakes.launch import fake_engine
from tests.process.cli import Home, everyone_gone, until

READY_LIMIT_S = 8.0  # the aim is two seconds, on a machine that does nothing else
# What a browser writes on its console by itself when there is nobody at the other end.
GONE = ["WebSocket connection to", "net::ERR_CONNECTION", "status of 401", "status of 503"]


ENDLESS_ENGINE: dict[str, Any] = {"words": 50_000, "tokens_per_second": 1000}


async def test_first_start_is_ready_in_seconds_and_one_click_gives_an_answer(home: Home, windows: OpenWindow) -> None:
    began = time.monotonic()
    with running_app(home) as app:
        served = time.monotonic() - began
        window = await windows(app, tolerated=GONE)
        await expect(window.picker).to_have_text("demo")
        await expect(window.box).to_be_focused()
        ready = time.monotonic() - began
        print(f"serves after {served:.2f} s, can be typed into after {ready:.2f} s")
        assert ready < READY_LIMIT_S
        await expect(window.page.get_by_text("is not a real assistant")).to_be_visible()
        await window.button("Try the demo").click()
        await window.answered()
        print(f"answered after {time.monotonic() - began:.2f} s")
        await expect(window.box).to_be_focused()
        await expect(window.page.locator(".strip")).to_contain_text(re.compile(r"RAM\s*[\d.]+ / [\d.]+ GB"))
        result = app.server.end(signal.SIGINT)
        assert (result.status, result.stderr) == (0, "")
        await window.page.close()
    assert everyone_gone(home)


async def test_setting_that_is_not_known_is_told_on_the_page(home: Home, windows: OpenWindow) -> None:
    home.write_settings("[engine]\nturbo = true\n")
    with running_app(home) as app:
        window = await windows(app)
        await expect(window.page.locator(".toast")).to_contain_text("turbo")


async def test_app_killed_in_mid_answer_is_reopened_with_what_there_was(
    home: Home, windows: OpenWindow, tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path / "engine", **ENDLESS_ENGINE)
    home.use_engine(engine)
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await window.ask("Kill the app")
        while len(await window.said()) < 2 * UNSAVED_LIMIT:
            pass
        app.server.process.kill()
        app.server.process.wait()
        until(lambda: everyone_gone(home, engine), what="the engine has ended, too")
        await expect(window.page.get_by_text("The connection to Llamero is lost")).to_be_visible()
        shown = await window.said()
        await window.page.close()
    with running_app(home) as app:
        window = await windows(app)
        await window.row("Kill the app").get_by_role("button").first.click()
        await expect(window.page.locator(".mark")).to_contain_text("Llamero was closed while this was being written")
        (saved,) = app.answers("Kill the app")
        assert saved["status"] == "interrupted"
        assert await window.said() == words(saved["content"])
        assert agree(words(saved["content"]), shown)
        assert len(shown) - len(saved["content"]) <= UNSAVED_LIMIT + 100, "what is not saved yet has a limit"
        await window.button("Answer once more").click()
        await window.begun()
        await window.page.keyboard.press("Escape")
        await expect(window.page.locator(".branch-number")).to_have_text("2 / 2")
        await expect(window.stats).to_contain_text("Stopped")


async def test_app_ended_in_mid_answer_saves_it_and_leaves_nothing(
    home: Home, windows: OpenWindow, tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path / "engine", **ENDLESS_ENGINE)
    home.use_engine(engine)
    with running_app(home) as app:
        window = await windows(app, tolerated=GONE)
        await window.ask("End the app")
        await window.begun()
        shown = await window.said()
        result = app.server.end()
        assert (result.status, result.stderr) == (0, "")
        assert everyone_gone(home, engine)
        assert not (home.data / f"{DATABASE}-wal").exists(), "closed in order"
        (saved,) = stored_answers(home.data / DATABASE, "End the app")
        assert saved["status"] == "interrupted"
        assert words(saved["content"]).startswith(shown)


async def test_second_start_knows_everything_and_refuses_the_key_of_the_first(
    home: Home, windows: OpenWindow, think_model: Path
) -> None:
    with running_app(home) as app:
        old = app.url
        window = await windows(app, tolerated=GONE)
        await expect(window.picker).to_have_text("demo")
        await window.open_model_file(think_model)
        await window.set_fields(System_prompt="Think first.", Context_length=4096)
        await window.ask("Remember me")
        await window.answered()
        answer = await window.said()
        await window.draft("not sent yet")
        await window.page.close()
        app.server.end()
    with running_app(home) as app:
        stale = await windows(app, url=f"{app.origin}/#t={old.partition('#t=')[2]}", tolerated=GONE)
        await expect(stale.page.get_by_role("heading", name="This page has an old key")).to_be_visible()
        await expect(stale.page.get_by_text("open the address that Llamero printed")).to_be_visible()
        bare = await windows(app, url=app.origin, tolerated=GONE)
        await expect(bare.page.get_by_role("heading", name="This page has no key")).to_be_visible()
        window = await windows(app)
        await expect(window.page.get_by_role("heading", name="Remember me")).to_be_visible()
        await expect(window.text).to_have_text(answer, use_inner_text=True)
        await expect(window.picker).to_have_text("think")
        await expect(window.box).to_have_value("not sent yet")
        await window.button("Answers and model").click()
        await expect(window.page.get_by_label("System prompt")).to_have_value("Think first.")
        await expect(window.page.get_by_label("Context length")).to_have_value("4096")
        await window.page.keyboard.press("Escape")
        assert app.url.partition("#")[2] not in window.page.url, "the key leaves the address bar"


async def test_collector_of_breaches_sees_a_breach(home: Home, windows: OpenWindow) -> None:
    """Every window here is checked at its end; this is what makes that worth something."""
    with running_app(home) as app:
        window = await windows(app)
        await expect(window.picker).to_have_text("demo")
        assert window.wrongs == []
        await window.page.evaluate(
            """() => {
              const script = document.createElement('script');
              script.textContent = 'window.ran = true';
              document.body.append(script);
              const image = new Image();
              image.src = 'https://example.com/x.png';
              document.body.append(image);
            }"""
        )
        await expect(window.page.locator("img[src*=example]")).to_have_count(1)
        await window.page.wait_for_function("() => window.breaches.length >= 2")
        assert await window.page.evaluate("() => window.ran") is None
        assert any("script-src" in wrong for wrong in window.wrongs)
        assert any("img-src" in wrong for wrong in window.wrongs)
        window.wrongs.clear()
