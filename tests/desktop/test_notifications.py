"""An answer that ends while the window is out of sight is told on a real D-Bus; one that is seen is not."""

from __future__ import annotations

import subprocess

from playwright.sync_api import Page, expect

from llamero.desktop.options import DEBUGGING_VARIABLE
from tests.desktop.desktop_app import free_port
from tests.desktop.test_real_app import ask, environment, home
from tests.desktop.test_tray import WAIT_S, bare, page_of, panel
from tests.desktop.x11 import Display
from tests.fakes.session_bus import ADDRESS, desktop_notifications, session_bus
from tests.process.cli import Home, everyone_gone, until
from tests.ui.conftest import built_page

__all__ = ["bare", "built_page", "home"]


def new_chat(page: Page) -> None:
    page.get_by_role("button", name="New chat").click()
    expect(page.get_by_role("heading", name="New chat")).to_be_visible()


def test_answer_that_ends_out_of_sight_is_told_and_a_click_brings_the_window(home: Home, bare: Display) -> None:
    home.data.mkdir(parents=True, exist_ok=True)
    (home.data / "settings.toml").write_text("[desktop]\nclose_to_tray = true\nnotify_after_s = 0\n")
    port = free_port()
    with session_bus() as bus, desktop_notifications(bus, "--click") as shown, panel(bare):
        variables = environment(home, bare, "qt", **{DEBUGGING_VARIABLE: str(port), ADDRESS: bus})
        process = subprocess.Popen(home.command(), env=variables, stderr=subprocess.DEVNULL)
        window = bare.window("Llamero")
        with page_of(port) as page:
            bare.focus(window)
            ask(page, "Seen")
            new_chat(page)
            bare.close(window)
            until(lambda: not bare.windows("Llamero"), WAIT_S, "the window is hidden")
            ask(page, "Out of sight")
            told = shown.next()
            assert (told["title"], told["body"]) == ("Out of sight", "The answer is ready.")
            bare.window("Llamero")
        process.terminate()
        assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")
