"""The real window of both Linux toolkits: it opens, it shows, it is remembered, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from tests.desktop.conftest import Launch
from tests.desktop.desktop_app import DesktopApp, gone
from tests.desktop.x11 import Display, Shape, wait_for

DARK_GROUND = "#14110f"
# Of the app's own limits (the toolkit's two seconds, the core's four) and what a busy machine adds.
END_S = 10.0


def opened(app: DesktopApp, display: Display) -> tuple[int, list[psutil.Process]]:
    """Wait until the page has drawn itself in a visible window."""
    app.event("report")
    return display.window(), app.tree()


def test_window_with_a_strict_page_shows_it_and_gives_it_no_way_into_python(
    launch: Launch, toolkit: str, display: Display, tmp_path: Path
) -> None:
    app = launch(toolkit=toolkit)
    report = app.event("report")["report"]
    assert report["violations"] == []
    assert (report["bridge"], report["channel"], report["handlers"]) == ("undefined", "undefined", "undefined")
    assert report["secure"] and report["token"]
    assert "#t=" not in report["address"]
    window = display.window()
    shape = display.shape(window)
    assert (shape.width, shape.height) == (1280, 800)
    assert wait_for(lambda: display.colour(shape.x + 640, shape.y + 700) == "#fbfaf7", "the page's ground")


def test_window_that_is_closed_ends_everything_in_order(launch: Launch, toolkit: str, display: Display) -> None:
    app = launch(toolkit=toolkit)
    window, processes = opened(app, display)
    assert len(processes) >= 3  # the browser's helpers and the app's own child
    begun = time.monotonic()
    display.close(window)
    assert app.wait(END_S) == 0
    assert gone(processes), [process for process in processes if process.is_running()]
    assert time.monotonic() - begun < END_S
    assert app.names()[-2:] == ["stopped", "left"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_window_of_a_process_that_gets_a_signal_ends_everything_in_order(
    launch: Launch, toolkit: str, display: Display, number: signal.Signals
) -> None:
    app = launch(toolkit=toolkit)
    _, processes = opened(app, display)
    if number == signal.SIGINT:
        os.killpg(app.process.pid, number)  # a terminal sends Ctrl+C to all that runs in it
    else:
        app.process.send_signal(number)
    assert app.wait(END_S) == 0
    assert gone(processes)
    assert app.names()[-2:] == ["stopped", "left"]


def test_window_of_a_core_that_is_still_starting_ends_at_once(launch: Launch, toolkit: str) -> None:
    app = launch("--start-s", "60", toolkit=toolkit)
    app.event("starting")
    begun = time.monotonic()
    app.process.send_signal(signal.SIGTERM)
    assert app.wait(END_S) == 0
    assert time.monotonic() - begun < END_S
    assert app.names()[-2:] == ["stopped", "left"]


def test_window_of_a_core_that_does_not_start_raises_what_it_raised(launch: Launch, toolkit: str) -> None:
    app = launch("--fail-start", toolkit=toolkit)
    assert app.wait(10) == 1
    assert "stopped" in app.names()
    assert "RuntimeError: no core today" in Path(app.log.name).read_text()


def test_window_of_a_core_that_fails_after_the_window_was_made_is_never_shown(launch: Launch, toolkit: str) -> None:
    app = launch("--start-s", "2", "--fail-start", toolkit=toolkit)
    assert app.wait(10) == 1
    assert app.names()[-1] == "stopped"
    assert "RuntimeError: no core today" in Path(app.log.name).read_text()


def test_window_that_is_closed_while_its_core_starts_ends_everything(
    launch: Launch, toolkit: str, display: Display
) -> None:
    app = launch("--start-s", "60", toolkit=toolkit)
    display.close(display.window())  # shown without a page, since none has come for so long
    assert app.wait(END_S) == 0
    assert app.names() == ["starting", "stopped", "left"]


def test_window_of_a_core_that_does_not_stop_leaves_without_it(launch: Launch, toolkit: str, display: Display) -> None:
    app = launch("--hang-stop", toolkit=toolkit)
    window, processes = opened(app, display)
    display.close(window)
    assert app.wait(10) == 0
    assert gone(processes)
    assert "the core did not end" in Path(app.log.name).read_text()


def test_window_that_cannot_be_locked_is_not_opened(launch: Launch, toolkit: str) -> None:
    app = launch("--unlockable", toolkit=toolkit)
    assert app.wait(20) == 3
    assert (app.seen[-1]["code"], app.seen[-2]["event"]) == ("window-failed", "stopped")
    assert app.seen[-1]["text"] == "The window could not be opened: navigationRequested."
    assert "report" not in app.names()  # its page never ran


def test_window_whose_page_never_comes_is_shown_in_the_colour_of_its_theme(
    launch: Launch, toolkit: str, display: Display
) -> None:
    launch("--hang-page", "--theme", "dark", toolkit=toolkit)
    shape = display.shape(display.window())
    middle = (shape.x + shape.width // 2, shape.y + shape.height // 2)
    assert wait_for(lambda: display.colour(*middle) == DARK_GROUND, "the dark ground")


def test_window_that_was_moved_opens_where_it_was(
    launch: Launch, toolkit: str, display: Display, tmp_path: Path
) -> None:
    app = launch(toolkit=toolkit)
    window, _ = opened(app, display)
    wanted = Shape(120, 90, 900, 600)
    display.move(window, wanted)
    file = tmp_path / "data" / "window.json"
    remembered = {"width": 900, "height": 600, "x": 120, "y": 90, "maximized": False}
    assert wait_for(lambda: file.exists() and json.loads(file.read_bytes()) == remembered, "window.json")
    assert file.stat().st_mode & 0o777 == 0o600
    display.close(window)
    assert app.wait(END_S) == 0

    again = launch(toolkit=toolkit)
    window, _ = opened(again, display)
    assert wait_for(lambda: display.shape(window) == wanted, f"the window at {wanted}")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b'{"width": "wide"}',
        b'{"width": -5, "height": 800}',
        b'{"width": 1280, "height": 800, "x": 1e99}',
    ],
)
def test_window_with_a_damaged_memory_opens_at_its_default_size(
    launch: Launch, display: Display, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "window.json").write_bytes(content)
    app = launch(toolkit="qt")
    window, _ = opened(app, display)
    shape = display.shape(window)
    assert (shape.width, shape.height) == (1280, 800)


def test_dialog_answers_with_the_file_that_was_typed(launch: Launch, toolkit: str, display: Display) -> None:
    folder = Path(f"/tmp/llamerodialog{os.getpid()}")  # a name that is typed without Shift
    folder.mkdir()
    try:
        (folder / "a.gguf").write_bytes(b"GGUF")
        app = launch(toolkit=toolkit)
        window, _ = opened(app, display)
        click_button(display, window, "choose")
        app.event("asked")
        display.focus(display.window("Open file"))
        names = {"/": "slash", ".": "period"}
        keys = [names.get(character, character) for character in str(folder / "a.gguf")]
        for part in (keys[:1], keys[1:], ["Return"]):  # the first opens GTK's field for names
            display.settle()
            display.press(*part)
        assert app.event("chosen")["path"] == str(folder / "a.gguf")
        display.close(window)
        assert app.wait(END_S) == 0
    finally:
        shutil.rmtree(folder)


def test_dialog_that_is_open_does_not_keep_the_app(launch: Launch, toolkit: str, display: Display) -> None:
    app = launch(toolkit=toolkit)
    window, processes = opened(app, display)
    click_button(display, window, "choose")
    app.event("asked")
    display.window("Open file")
    app.process.send_signal(signal.SIGTERM)
    assert app.wait(END_S) == 0
    assert gone(processes)
    assert "stopped" in app.names()


def test_selftest_reports_what_the_page_said_and_closes(launch: Launch, toolkit: str) -> None:
    app = launch("--selftest", toolkit=toolkit)
    result = app.event("selftest")
    assert result["ok"] and result["loaded"]
    assert result["renderer"] == {"qt": "qtwebengine", "gtk": "gtkwebkit2"}[toolkit]
    assert result["page"]["violations"] == []
    assert app.wait(END_S) == 0


def test_window_without_a_display_says_so(launch: Launch, toolkit: str) -> None:
    for name in ("", ":987", "nowhere.invalid:0"):
        app = launch(toolkit=toolkit, environment={"DISPLAY": name})
        assert app.wait(20) == 3
        assert app.seen[-1]["code"] == "window-no_display"
        assert app.seen[-1]["text"] == "There is no display to open a window on."


def test_window_without_permission_to_use_the_display_says_so(tmp_path: Path, launch: Launch) -> None:
    """A display that asks for a secret that we do not have."""
    authority = tmp_path / "authority"
    subprocess.run(["xauth", "-f", authority, "add", ":0", ".", "00" * 16], check=True, capture_output=True)
    with subprocess.Popen(
        ["Xvfb", "-displayfd", "1", "-auth", authority, "-nolisten", "tcp"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as server:  # fmt: skip
        try:
            assert server.stdout is not None
            name = f":{server.stdout.readline().strip()}"
            app = launch(toolkit="qt", environment={"DISPLAY": name, "XAUTHORITY": os.devnull})
            assert app.wait(20) == 3
            assert app.seen[-1]["code"] == "window-no_display"
        finally:
            server.terminate()


def click_button(display: Display, window: int, name: str) -> None:
    """The fake page's buttons are in one row under its second line."""
    display.settle()
    shape = display.shape(window)
    display.click(shape.x + {"choose": 100, "copy": 330}[name], shape.y + BUTTON_ROW)


BUTTON_ROW = 132
