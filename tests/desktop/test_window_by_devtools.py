"""The real Qt window driven from inside by the DevTools protocol, which only a test's environment variable opens."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect, sync_playwright

from tests.desktop.conftest import Launch
from tests.desktop.desktop_app import DesktopApp, free_port
from tests.desktop.x11 import Display

# Where screenshots are kept for people.
ARTIFACTS = Path(__file__).resolve().parent.parent / "artifacts" / "desktop"


class Inside:
    """One window, seen from inside."""

    def __init__(self, app: DesktopApp, page: Page, session: CDPSession) -> None:
        self.app = app
        self.page = page
        self.session = session


@pytest.fixture
def inside(launch: Launch) -> Iterator[Inside]:
    port = free_port()
    app = launch(toolkit="qt", port=port)
    app.event("report")
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        page = browser.contexts[0].pages[0]
        yield Inside(app, page, browser.new_browser_cdp_session())


def test_window_shows_the_page_without_the_token_in_its_address(inside: Inside, display: Display) -> None:
    expect(inside.page.locator("#state")).to_have_text("ready")
    assert "#t=" not in inside.page.url
    display.settle()
    display.screenshot(ARTIFACTS / "window-qt.png")


def test_page_that_is_reloaded_still_has_its_token(inside: Inside) -> None:
    inside.page.reload()
    assert inside.app.event("report")["report"]["token"]


def test_page_may_copy_by_a_click_and_has_no_other_permission(inside: Inside) -> None:
    inside.page.locator("#copy").click()
    expect(inside.page.locator("#copy")).to_have_text("Copied")
    asked = """Promise.all([
        navigator.clipboard.readText().then(() => "read", (error) => error.name),
        Notification.requestPermission(),
        new Promise((done) => navigator.geolocation.getCurrentPosition(() => done(0), (error) => done(error.code))),
        navigator.mediaDevices.getUserMedia({ audio: true }).then(() => "heard", (error) => error.name),
        navigator.mediaDevices.getDisplayMedia().then(() => "seen", (error) => error.name),
    ])"""
    read, notified, located, heard, seen = inside.page.evaluate(asked)
    assert read == "NotAllowedError"
    assert notified == "denied"
    assert located == 1  # PERMISSION_DENIED
    assert heard in ("NotAllowedError", "NotFoundError")
    assert seen != "seen"


def test_browser_has_no_flag_that_gives_pages_the_microphone(inside: Inside) -> None:
    command_line = str(inside.session.send("SystemInfo.getInfo")["commandLine"])
    assert "--remote-debugging-port" in command_line
    assert "--use-fake-ui-for-media-stream" not in command_line


def test_page_that_downloads_gets_no_file(inside: Inside, tmp_path: Path) -> None:
    inside.page.evaluate(
        """() => {
            const link = Object.assign(document.createElement("a"), { href: "/page.js", download: "page.js" });
            document.body.append(link);
            link.click();
        }"""
    )
    expect(inside.page.locator("#state")).to_have_text("ready")
    assert inside.page.url.endswith("/")
    assert not list(Path.home().glob("Downloads/page*.js"))


def test_renderer_that_is_killed_gets_its_page_again(inside: Inside) -> None:
    # Chromium's zygote forks the renderers.
    helpers = [process for process in inside.app.tree() if process.name() == "QtWebEngineProcess"]
    renderers = [process for process in helpers if process.parent() in helpers and not process.children()]
    assert renderers
    for renderer in renderers:
        renderer.send_signal(signal.SIGKILL)
    assert inside.app.event("report")["report"]["token"]
    assert inside.app.process.poll() is None
