"""The whole app in its real window: open, ask the real engine, read the answer, close, and nothing is left running."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from llamero.desktop.options import DEBUGGING_VARIABLE
from tests.desktop.desktop_app import SYSTEM_PACKAGES, free_port
from tests.desktop.x11 import Display
from tests.process.cli import Home, everyone_gone, until
from tests.ui.conftest import built_page

__all__ = ["built_page"]
ANSWER_MS = 30_000
# The text that is there, not the one that is drawn by now: what a page may skip has none of the latter.
SOME_TEXT = re.compile(r"\S[\s\S]{20,}")


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def environment(home: Home, display: Display, toolkit: str, **more: str) -> dict[str, str]:
    system = {"PYTHONPATH": SYSTEM_PACKAGES} if toolkit == "gtk" else {}
    return home.environment({"DISPLAY": display.name, "LLAMERO_GUI": toolkit, "NO_AT_BRIDGE": "1", **system, **more})


def open_window(
    home: Home, display: Display, port: int, *arguments: str | Path, folder: Path | None = None
) -> subprocess.Popen[bytes]:
    """Start the app; `folder` is where its dialogs begin, and keep what they remember."""
    remembering = {} if folder is None else {"XDG_CONFIG_HOME": str(folder)}
    variables = environment(home, display, "qt", **{DEBUGGING_VARIABLE: str(port)}, **remembering)
    quiet = subprocess.DEVNULL
    return subprocess.Popen(home.command(*arguments), env=variables, stdout=quiet, stderr=quiet, cwd=folder)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def window_with_page(
    home: Home, display: Display, folder: Path | None = None
) -> Iterator[tuple[subprocess.Popen[bytes], Page]]:
    """The app with its window, and the page in it."""
    port = free_port()
    process = open_window(home, display, port, folder=folder)
    display.window("Llamero")
    until(lambda: listens(port), 10.0, "the window can be driven")
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        yield process, browser.contexts[0].pages[0]


def ask(page: Page, question: str) -> None:
    page.locator("#composer").fill(question)
    page.locator("#composer").press("Enter")
    expect(page.locator(".stats").last).to_contain_text("tokens/s", timeout=ANSWER_MS)


def test_app_window_opened_asked_read_and_closed_leaves_nothing_running(home: Home, display: Display) -> None:
    port = free_port()
    process = open_window(home, display, port)
    shown = display.window("Llamero")
    until(lambda: display.icon_sizes(shown), 5.0, "the window has an icon")
    assert all(width == height and width >= 16 for width, height in display.icon_sizes(shown))
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        page = browser.contexts[0].pages[0]
        ask(page, "Tell me about llamas")
        expect(page.locator("answer-text").first).to_have_text(SOME_TEXT)
        assert "#t=" not in page.url
        # A second start finds the first, hands over and ends.
        second = home.run(env={"DISPLAY": display.name, "LLAMERO_GUI": "qt"})
        assert (second.status, second.stderr) == (0, "")
        expect(page.locator(".message.is-user")).to_have_count(1)
        # And one from the menu's action begins a chat there.
        third = home.run("--new-chat", env={"DISPLAY": display.name, "LLAMERO_GUI": "qt"})
        assert (third.status, third.stderr) == (0, "")
        expect(page.locator(".message.is-user")).to_have_count(0)
        page.get_by_text("Tell me about llamas").first.click()
        expect(page.locator(".message.is-user")).to_have_count(1)
    display.close(display.window("Llamero"))
    assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")

    port = free_port()
    process = open_window(home, display, port)
    display.window("Llamero")
    with sync_playwright() as playwright:
        page = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True).contexts[0].pages[0]
        expect(page.locator(".message.is-user")).to_contain_text("Tell me about llamas", timeout=ANSWER_MS)
    process.terminate()
    assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_app_window_whose_database_is_damaged_opens_and_says_so(home: Home, display: Display) -> None:
    home.data.mkdir()
    database = home.data / "llamero.db"
    database.write_text("Once upon a time there was a llama. " * 100)
    before = database.read_bytes()
    with window_with_page(home, display) as (process, page):
        expect(page.get_by_role("heading")).to_have_text("Llamero could not start", timeout=ANSWER_MS)
        expect(page.locator(".refused")).to_contain_text(f"The database {database} is damaged. It was not changed.")
    display.close(display.window("Llamero"))
    assert process.wait(15) == 1
    assert database.read_bytes() == before
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_app_window_whose_gateway_cannot_open_says_so_and_chats_all_the_same(home: Home, display: Display) -> None:
    home.write_settings('[gateway]\nhost = "0.0.0.0"\n')
    with window_with_page(home, display) as (process, page):
        expect(page.locator(".toasts")).to_contain_text("an API key is required", timeout=ANSWER_MS)
        ask(page, "Tell me about llamas")
    display.close(display.window("Llamero"))
    assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_app_window_attaches_the_file_that_is_chosen_in_the_desktops_dialog(
    home: Home, display: Display, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "notes").write_text("The pass is high.")
    with window_with_page(home, display, folder) as (process, page):
        page.get_by_role("button", name="Attach files").click()
        display.focus(display.window("Open"))
        display.press(*"notes", "Return")
        expect(page.locator(".composer .attachment-name")).to_have_text("notes")
        page.locator(".composer .attachment-open").click()
        expect(page.get_by_role("dialog").locator("pre")).to_have_text("The pass is high.")
    display.close(display.window("Llamero"))
    assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_app_window_on_each_toolkit_shows_its_page_and_closes(home: Home, display: Display, toolkit: str) -> None:
    command = home.command("--selftest")
    done = subprocess.run(
        command, env=environment(home, display, toolkit), capture_output=True, text=True, timeout=90, check=False
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert (done.returncode, report["ok"], report["loaded"]) == (0, True, True), done.stderr
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")
