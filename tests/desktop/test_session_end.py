"""The end of the session, and files that the system opens: what no command line and no person says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llamero.desktop.native.cocoa_application import answer_for
from llamero.desktop.native.edge import EdgeWindow
from llamero.desktop.native.protocol import Hooks
from llamero.desktop.navigation import NavigationLock
from tests.desktop.conftest import Launch
from tests.desktop.desktop_app import gone
from tests.desktop.test_window import END_S, opened
from tests.desktop.x11 import Display

HOME = "http://127.0.0.1:1/"


def test_session_that_ends_while_windows_stay_in_the_tray_ends_everything_in_order(
    launch: Launch, toolkit: str, display: Display
) -> None:
    app = launch("--session-ends", toolkit=toolkit)
    window, processes = opened(app, display)
    display.close(window)
    assert app.wait(END_S) == 0
    assert gone(processes), [process for process in processes if process.is_running()]
    assert [name for name in app.names() if name in ("in_tray", "tray_closed", "stopped")] == [
        "in_tray",
        "tray_closed",
        "stopped",
    ]


def test_file_that_the_system_opens_comes_to_the_core_and_not_to_the_toolkits_thread(
    launch: Launch, toolkit: str, display: Display
) -> None:
    app = launch("--session-ends", toolkit=toolkit)
    assert app.event("opened")["path"] == "/models/a.gguf"


class Told:
    """What a toolkit told the window."""

    def __init__(self) -> None:
        self.opened: list[Path] = []
        self.ends = 0

    def hooks(self) -> Hooks:
        return Hooks(
            home=HOME,
            lock=NavigationLock(HOME, lambda url: None),
            ground="#000000",
            loaded=lambda succeeded: None,
            moved=lambda geometry: None,
            opened=self.opened.append,
            session_ends=self.session_ends,
        )

    def session_ends(self) -> None:
        self.ends += 1


class NetEvent:
    """An event of .NET: handlers are called in the order in which they came."""

    def __init__(self) -> None:
        self.handlers: list[Callable[[Any, Any], None]] = []

    def __iadd__(self, handler: Callable[..., None]) -> NetEvent:
        self.handlers.append(handler)
        return self

    def fire(self, arguments: Any) -> None:
        for handler in self.handlers:
            handler(None, arguments)


def stay_in_the_tray(sender: Any, arguments: Any) -> None:
    """What pywebview does when we answer that the window is not to be closed."""
    arguments.Cancel = True


@pytest.mark.parametrize(
    ("reason", "held_up", "ends"),
    [("UserClosing", True, 0), ("WindowsShutDown", False, 1), ("TaskManagerClosing", False, 1)],
)
def test_windows_that_shuts_down_is_not_held_up_by_a_window_in_the_tray(reason: str, held_up: bool, ends: int) -> None:
    told, closing = Told(), NetEvent()
    closing += stay_in_the_tray
    form = SimpleNamespace(
        FormClosing=closing,
        browser=SimpleNamespace(webview=SimpleNamespace(CoreWebView2InitializationCompleted=NetEvent())),
    )
    events = SimpleNamespace(**{name: NetEvent() for name in ("loaded", "resized", "moved", "maximized", "restored")})
    EdgeWindow().prepare(SimpleNamespace(native=form, events=events), told.hooks())
    arguments = SimpleNamespace(CloseReason=reason, Cancel=False)
    closing.fire(arguments)
    assert (arguments.Cancel, told.ends) == (held_up, ends)


class Selector:
    """A method as PyObjC has it: it is called by its name in Objective-C, and knows its signature."""

    def __init__(self, function: Callable[..., Any], signature: bytes) -> None:
        self.function = function
        self.name = function.__name__.replace("_", ":")
        self.signature = signature


class ObjC:
    """What of PyObjC is used."""

    selector = Selector

    def classAddMethods(self, cls: Any, methods: list[Selector]) -> None:  # noqa: N802
        for method in methods:
            setattr(cls, method.function.__name__, method)


def delegate_class() -> Any:
    """pywebview's class of delegates, as far as it is known."""

    def applicationShouldTerminate_(self: Any, application: Any) -> int:  # noqa: N802
        return 1

    return type("AppDelegate", (), {"applicationShouldTerminate_": Selector(applicationShouldTerminate_, b"Q@:@")})


def url(path: str, *, file: bool = True) -> SimpleNamespace:
    return SimpleNamespace(path=lambda: path, isFileURL=lambda: file)


def test_files_that_finder_opens_come_by_the_applications_delegate() -> None:
    delegate, told = delegate_class(), Told()
    answer_for(delegate, ObjC(), told.opened.append, told.session_ends)
    method = delegate.application_openURLs_
    assert (method.name, method.signature) == ("application:openURLs:", b"v@:@@")
    assert method.function(None, None, [url("/Models/Ümlaut 100%.gguf")]) is None
    assert method.function(None, None, [url("/not/a/file", file=False)]) is None
    assert method.function(None, None, [url("/a.gguf"), url("/b.gguf")]) is None
    assert told.opened == [Path("/Models/Ümlaut 100%.gguf"), Path("/a.gguf")]
    assert told.ends == 0


def test_mac_that_ends_the_application_waits_until_its_core_has_ended() -> None:
    """pywebview would let AppKit end the process at once, with the core in the middle of its work."""
    delegate, told = delegate_class(), Told()
    answer_for(delegate, ObjC(), told.opened.append, told.session_ends)
    method = delegate.applicationShouldTerminate_
    assert (method.name, method.signature) == ("applicationShouldTerminate:", b"Q@:@")
    later = 2
    assert method.function(None, None) == later
    assert told.ends == 1


def test_delegate_that_is_no_longer_as_it_was_is_an_error_rather_than_a_window_without_answers() -> None:
    with pytest.raises(AttributeError):
        answer_for(type("AppDelegate", (), {}), ObjC(), lambda path: None, lambda: None)
