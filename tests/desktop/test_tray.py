"""The tray of a real desktop: a window that is closed stays there, and is never lost where there is none."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from tests.desktop.desktop_app import free_port
from tests.desktop.test_real_app import environment, home, open_window
from tests.desktop.x11 import Display, virtual_display
from tests.process.cli import Home, everyone_gone, until
from tests.ui.conftest import built_page

__all__ = ["built_page", "home"]
WAIT_S = 20.0


@pytest.fixture
def bare() -> Iterator[Display]:
    """A display of its own, since a tray is seen by every window on its display."""
    with virtual_display() as shown:
        yield shown


@contextmanager
def panel(display: Display) -> Iterator[int]:
    """A panel with a tray: yields its window."""
    command = ["trayer", "--edge", "bottom", "--align", "left", "--widthtype", "request", "--height", "48"]
    with subprocess.Popen(
        command, env={"DISPLAY": display.name, "PATH": "/usr/bin:/bin"}, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield display.window("panel")
        finally:
            process.terminate()


def close_to_tray(home: Home) -> None:
    home.data.mkdir(parents=True, exist_ok=True)
    (home.data / "settings.toml").write_text("[desktop]\nclose_to_tray = true\n")


def click_icon(display: Display, window: int) -> None:
    shape = display.shape(window)
    display.click(shape.x + shape.width // 2, shape.y + shape.height // 2)


@contextmanager
def page_of(port: int) -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port}", no_defaults=True)
        yield browser.contexts[0].pages[0]


def test_window_that_is_closed_stays_in_the_tray_and_comes_back_by_a_click(home: Home, bare: Display) -> None:
    close_to_tray(home)
    port = free_port()
    with panel(bare) as tray:
        process = open_window(home, bare, port)
        shown = bare.window("Llamero")
        with page_of(port) as page:
            page.locator("#composer").fill("A draft that must not be lost")
            bare.close(shown)
            until(lambda: not bare.windows("Llamero"), WAIT_S, "the window is hidden")
            assert process.poll() is None
            click_icon(bare, tray)
            bare.window("Llamero")
            expect(page.locator("#composer")).to_have_value("A draft that must not be lost")
        process.terminate()
        assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_window_that_is_closed_without_a_tray_ends_so_that_nothing_is_out_of_reach(home: Home, bare: Display) -> None:
    close_to_tray(home)
    process = open_window(home, bare, free_port())
    bare.close(bare.window("Llamero"))
    assert process.wait(15) == 0
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_session_that_ends_by_its_display_leaves_nothing_of_a_window_in_the_tray(home: Home) -> None:
    close_to_tray(home)
    with virtual_display() as display, panel(display):
        process = open_window(home, display, free_port())
        display.close(display.window("Llamero"))
        until(lambda: not display.windows("Llamero"), WAIT_S, "the window is hidden")
        assert process.poll() is None
    process.wait(15)
    until(lambda: everyone_gone(home), 5.0, "every process of the app has ended")


def test_window_that_is_closed_after_its_tray_has_gone_ends(home: Home, bare: Display) -> None:
    close_to_tray(home)
    with panel(bare):
        process = open_window(home, bare, free_port())
        shown = bare.window("Llamero")
    bare.close(shown)
    assert process.wait(15) == 0


def test_start_in_the_background_shows_only_the_icon_until_a_second_start(home: Home, bare: Display) -> None:
    port = free_port()
    with panel(bare):
        process = open_window(home, bare, port, "--background")
        with page_of_background(port) as page:
            expect(page.locator("#composer")).to_be_attached(timeout=30_000)
            assert bare.windows("Llamero") == []
            again = home.run("--background", env={"DISPLAY": bare.name, "LLAMERO_GUI": "qt"})
            assert (again.status, bare.windows("Llamero")) == (0, [])
            second = home.run(env={"DISPLAY": bare.name, "LLAMERO_GUI": "qt"})
            assert second.status == 0
            bare.window("Llamero")
        process.terminate()
        assert process.wait(15) == 0


def test_start_in_the_background_without_a_tray_shows_the_window(home: Home, bare: Display) -> None:
    process = open_window(home, bare, free_port(), "--background")
    bare.window("Llamero")
    process.terminate()
    assert process.wait(15) == 0


def test_model_file_that_a_file_manager_opens_is_handed_to_the_running_window(
    home: Home, bare: Display, think_model: Path, tmp_path: Path
) -> None:
    file = tmp_path / "my models" / "Ümlaut 100%.gguf"
    file.parent.mkdir()
    file.write_bytes(think_model.read_bytes())
    port = free_port()
    process = open_window(home, bare, port, think_model)
    bare.window("Llamero")
    with page_of(port) as page:
        expect(page.get_by_title("Choose a model")).to_contain_text(think_model.stem, timeout=30_000)
        second = subprocess.run(
            home.command(file.name), env=environment(home, bare, "qt"), cwd=file.parent, timeout=60, check=False
        )
        assert second.returncode == 0
        expect(page.get_by_title("Choose a model")).to_contain_text("Ümlaut 100%")
    process.terminate()
    assert process.wait(15) == 0


def test_file_that_is_no_model_is_told_of_in_the_window_at_the_first_start_and_later(
    home: Home, bare: Display, tmp_path: Path
) -> None:
    """A file manager shows nobody what a program writes to a terminal."""
    file = tmp_path / "half a model.gguf"
    file.write_bytes(b"GGUF")
    port = free_port()
    process = open_window(home, bare, port, file)
    bare.window("Llamero")
    with page_of(port) as page:
        told = page.get_by_role("status").get_by_text("The model file is damaged or incomplete")
        expect(told).to_be_visible(timeout=30_000)
        page.get_by_role("status").get_by_label("Dismiss").click()
        expect(told).to_have_count(0)
        second = home.run(str(file), env={"DISPLAY": bare.name, "LLAMERO_GUI": "qt"})
        assert second.status == 0
        expect(told).to_be_visible()
    process.terminate()
    assert process.wait(15) == 0


@contextmanager
def page_of_background(port: int) -> Iterator[Page]:
    """The page of a window that is not shown: its port says when it is there."""

    def listens() -> bool:
        return any(one.laddr.port == port for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)

    until(listens, WAIT_S, "the window's browser runs")
    with page_of(port) as page:
        yield page
