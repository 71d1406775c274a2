"""The window's parts without a window: which toolkit, the core's thread, signals, dialogs."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from llamero.desktop.backends import choose_toolkit
from llamero.desktop.core_thread import CoreThread
from llamero.desktop.dialogs import MODEL_FILES, NativeFileDialogs
from llamero.desktop.native.gtk import IdleCalls
from llamero.desktop.signals import SignalWatch
from llamero.infrastructure.display import Displays, browser_sandbox_works, find_displays
from llamero.infrastructure.messages import default_messages
from llamero.models.desktop import Toolkit, WindowUnavailable
from tests.desktop.desktop_app import SYSTEM_PACKAGES
from tests.desktop.x11 import Display, wait_for

NAMES = """
import sys
from llamero.desktop.native.qt_names import stand_in_for_qtpy
stand_in_for_qtpy()
import webview.platforms.qt as qt
from qtpy.QtWidgets import QAction
assert qt.is_webengine and QAction is sys.modules["PySide6.QtGui"].QAction
assert not hasattr(sys.modules["qtpy"], "__file__")
made = [name for name in vars(sys.modules["PySide6.QtWidgets"]) if name.startswith("Q")]
assert len(made) < 50, made
"""


def test_pywebview_finds_the_names_of_qt_without_qtpy() -> None:
    """QtPy imports every class that Qt has, and each is made when it is first named."""
    environment = {**os.environ, "QT_API": "pyside6"}
    subprocess.run([sys.executable, "-c", NAMES], env=environment, check=True)


def test_displays_that_answer_are_found(display: Display, tmp_path: Path) -> None:
    assert find_displays({"DISPLAY": display.name}) == Displays(x11=True)
    assert find_displays({"DISPLAY": ":4711"}) == Displays()
    assert find_displays({"DISPLAY": "nonsense"}) == Displays()
    assert find_displays({}) == Displays()
    assert find_displays({"QT_QPA_PLATFORM": "offscreen:size=1x1"}) == Displays(offscreen=True)
    assert find_displays({"WAYLAND_DISPLAY": "wayland-9", "XDG_RUNTIME_DIR": str(tmp_path)}) == Displays()
    assert find_displays({"WAYLAND_DISPLAY": "wayland-0"}) == Displays()


def test_toolkit_on_a_display_is_qt_unless_the_other_is_asked_for(display: Display) -> None:
    assert choose_toolkit({"DISPLAY": display.name}) is Toolkit.QT
    assert choose_toolkit({"DISPLAY": display.name, "LLAMERO_GUI": " QT "}) is Toolkit.QT
    assert choose_toolkit({"QT_QPA_PLATFORM": "offscreen"}) is Toolkit.QT


def test_toolkit_of_an_unknown_name_says_which_are_known(display: Display) -> None:
    refusal = choose_toolkit({"DISPLAY": display.name, "LLAMERO_GUI": "tk\n"})
    assert refusal == WindowUnavailable(code="window-unknown_toolkit", arguments={"name": "tk"})
    assert sentence(refusal) == 'LLAMERO_GUI is "tk", but only "qt" and "gtk" are known. Correct it, or remove it.'


def test_toolkit_without_a_display_is_none(display: Display) -> None:
    assert choose_toolkit({}) == WindowUnavailable(code="window-no_display")
    refusal = choose_toolkit({"QT_QPA_PLATFORM": "offscreen", "LLAMERO_GUI": "gtk"})
    assert refusal == WindowUnavailable(code="window-no_display")


CHOOSE = "from llamero.desktop.backends import choose_toolkit; print(choose_toolkit())"


def choose_in(environment: dict[str, str]) -> str:
    """Choose in a process whose packages differ from ours."""
    environment = {**os.environ, **environment}
    command = [sys.executable, "-c", CHOOSE]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def broken_qt(tmp_path: Path) -> Path:
    """PySide6 whose plugin for X needs a library that is not there."""
    plugins = tmp_path / "PySide6" / "Qt" / "plugins" / "platforms"
    plugins.mkdir(parents=True)
    for module in ("__init__.py", "QtWebEngineWidgets.py"):
        (tmp_path / "PySide6" / module).touch()
    (tmp_path / "empty.c").touch()
    library = tmp_path / "libxcb-cursor.so.99"
    build = ["gcc", "-shared", "-Wl,--no-as-needed", str(tmp_path / "empty.c")]
    subprocess.run([*build, f"-Wl,-soname,{library.name}", "-o", str(library)], check=True)
    subprocess.run([*build, str(library), "-o", str(plugins / "libqxcb.so")], check=True)
    library.unlink()
    return tmp_path


def test_toolkit_with_a_missing_library_names_it(display: Display, broken_qt: Path) -> None:
    environment = {"DISPLAY": display.name, "PYTHONPATH": str(broken_qt), "LLAMERO_GUI": "qt"}
    assert "window-missing_library" in choose_in(environment)
    assert "libxcb-cursor.so.99" in choose_in(environment)
    arguments = {"library": "libxcb-cursor.so.0", "package": "libxcb-cursor0"}
    refusal = WindowUnavailable(code="window-missing_library", arguments=arguments)
    assert sentence(refusal).endswith("On Debian and Ubuntu: apt install libxcb-cursor0.")


def test_toolkit_with_a_missing_library_gives_way_to_the_other(display: Display, broken_qt: Path) -> None:
    path = f"{broken_qt}{os.pathsep}{SYSTEM_PACKAGES}"
    assert choose_in({"DISPLAY": display.name, "PYTHONPATH": path, "LLAMERO_GUI": ""}).strip() == "gtk"


def test_toolkit_that_is_not_installed_says_what_to_install(display: Display, tmp_path: Path) -> None:
    (tmp_path / "gi.py").write_text("raise ImportError('not here')")
    refusal = choose_in({"DISPLAY": display.name, "PYTHONPATH": str(tmp_path), "LLAMERO_GUI": "gtk"})
    assert "window-no_toolkit" in refusal
    assert "PySide6_Addons" in sentence(WindowUnavailable(code="window-no_toolkit"))


def test_sandbox_is_not_doubted_where_the_system_restricts_nothing(tmp_path: Path) -> None:
    assert browser_sandbox_works(tmp_path)
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns").write_text("0\n")
    assert browser_sandbox_works(tmp_path)


def test_sandbox_is_tried_where_it_is_doubtful(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "apparmor_restrict_unprivileged_userns").write_text("1\n")
    tried = subprocess.run(["unshare", "--user", "--pid", "--net", "true"], capture_output=True, check=False)
    assert browser_sandbox_works(tmp_path) == (tried.returncode == 0)


def test_core_runs_and_calls_and_after_its_end_takes_calls_without_a_word() -> None:
    core = CoreThread()
    core.start()
    called = threading.Event()

    async def work() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert core.run(work()).result(5) == "llamero-core"
    core.call(called.set)
    assert called.wait(5)
    assert core.stop(5)
    core.call(called.clear)
    assert called.is_set()
    with pytest.raises(RuntimeError):
        core.run(work())


def test_core_that_stops_cancels_what_still_runs() -> None:
    core = CoreThread()
    core.start()
    begun, ended = threading.Event(), threading.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = core.run(long())
    assert begun.wait(5)
    assert core.stop(5)
    assert ended.is_set()
    with pytest.raises(CancelledError):
        future.result(1)


def test_core_whose_thread_is_blocked_is_given_up_in_time() -> None:
    core = CoreThread()
    core.start()
    release = threading.Event()
    core.call(release.wait)
    begun = time.monotonic()
    assert not core.stop(0.2)
    assert time.monotonic() - begun < 2
    release.set()
    assert core.stop(5)


def test_signals_come_while_the_main_thread_is_outside_of_python() -> None:
    """Here it waits in a lock's C code; a toolkit's loop is no different."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    seen: list[int] = []
    arrived = threading.Event()

    def note(number: int) -> None:
        seen.append(number)
        arrived.set()

    with SignalWatch(note):
        for number in (signal.SIGTERM, signal.SIGINT):
            arrived.clear()
            signal.raise_signal(number)
            assert arrived.wait(5)
    assert seen == [signal.SIGTERM, signal.SIGINT]
    assert {number: signal.getsignal(number) for number in before} == before


def test_signals_that_a_toolkit_takes_can_be_taken_back_and_ignored_ones_stay_ignored() -> None:
    arrived = threading.Event()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
    try:
        with SignalWatch(lambda number: arrived.set()) as watch:
            signal.signal(signal.SIGINT, lambda number, frame: None)
            signal.set_wakeup_fd(-1)
            watch.install()
            signal.raise_signal(signal.SIGHUP)
            signal.raise_signal(signal.SIGINT)
            assert arrived.wait(5)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


class FakeDialog:
    """A dialog whose answer a test gives."""

    def __init__(self) -> None:
        self.shown = 0
        self.kinds: tuple[str, ...] = ()
        self.answer: Sequence[str] | None = None
        self.answered = threading.Event()

    def show(self, kinds: tuple[str, ...]) -> Sequence[str] | None:
        self.shown += 1
        self.kinds = kinds
        self.answered.wait(20)
        return self.answer

    def save(self, name: str) -> str | Sequence[str] | None:
        self.shown += 1
        self.answered.wait(20)
        return f"/there/{name}" if name == "one" else None if name == "none" else (f"/there/{name}",)


@pytest.mark.parametrize(("answer", "path"), [(("/m/a.gguf",), Path("/m/a.gguf")), (None, None), ((), None)])
async def test_dialog_gives_all_who_ask_the_one_answer(answer: tuple[str, ...] | None, path: Path | None) -> None:
    dialog = FakeDialog()
    chooser = NativeFileDialogs(dialog.show, dialog.save)
    both = asyncio.gather(chooser.choose_model_file(), chooser.choose_model_file())
    await asyncio.to_thread(wait_for, lambda: dialog.shown, "the dialog")
    dialog.answer = answer
    dialog.answered.set()
    assert list(await asyncio.wait_for(both, 5)) == [path, path]
    assert (dialog.shown, dialog.kinds) == (1, (MODEL_FILES,))
    await chooser.choose_model_file()
    assert dialog.shown == 2


async def test_dialog_that_is_open_when_the_window_goes_is_answered_with_nothing() -> None:
    dialog = FakeDialog()
    chooser = NativeFileDialogs(dialog.show, dialog.save)
    asking = asyncio.create_task(chooser.choose_model_file())
    await asyncio.to_thread(wait_for, lambda: dialog.shown, "the dialog")
    chooser.close()
    assert await asyncio.wait_for(asking, 1) is None
    assert await chooser.choose_model_file() is None
    dialog.answered.set()


@pytest.mark.parametrize(("name", "place"), [("one", Path("/there/one")), ("two", Path("/there/two")), ("none", None)])
async def test_dialog_for_a_place_gives_it_as_toolkits_do(name: str, place: Path | None) -> None:
    dialog = FakeDialog()
    dialog.answered.set()
    assert await NativeFileDialogs(dialog.show, dialog.save).choose_place(name) == place


async def test_dialog_of_another_kind_is_not_shown_while_one_is_open() -> None:
    dialog = FakeDialog()
    dialogs = NativeFileDialogs(dialog.show, dialog.save)
    choosing = asyncio.create_task(dialogs.choose_model_file())
    await asyncio.to_thread(wait_for, lambda: dialog.shown, "the dialog")
    assert await dialogs.choose_place("one") is None
    assert dialog.shown == 1
    dialog.answered.set()
    await asyncio.wait_for(choosing, 5)
    assert await dialogs.choose_place("one") == Path("/there/one")


async def test_dialog_that_fails_is_answered_with_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(kinds: tuple[str, ...]) -> None:
        raise OSError("no portal")

    assert await NativeFileDialogs(fail, str).choose_model_file() is None
    assert "the file dialog failed" in caplog.text


def sentence(refusal: Toolkit | WindowUnavailable) -> str:
    assert isinstance(refusal, WindowUnavailable)
    return default_messages().text(refusal.code, refusal.arguments)


def test_gtk_window_that_was_closed_before_it_was_shown_is_not_shown() -> None:
    """GTK ends the process with a segmentation fault when a window is shown that has been destroyed."""
    waiting: list[Callable[[], bool]] = []
    shown: list[str] = []
    calls = IdleCalls(waiting.append)
    calls.add(lambda: shown.append("first"))
    assert [call() for call in waiting] == [False]
    calls.add(lambda: shown.append("second"))
    calls.end()
    assert waiting[-1]() is False
    assert shown == ["first"]
