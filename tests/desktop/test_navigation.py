"""The lock's decisions, without a window."""

from __future__ import annotations

import logging
import sys
import types
import webbrowser
from collections.abc import Iterator

import pytest

from llamero.desktop.navigation import NavigationLock, filter_webbrowser

HOME = "http://127.0.0.1:41234/#t=secret"


@pytest.fixture
def opened() -> list[str]:
    return []


@pytest.fixture
def lock(opened: list[str]) -> NavigationLock:
    return NavigationLock(HOME, opened.append)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:41234/",
        "http://127.0.0.1:41234",
        "http://127.0.0.1:41234/assets/app.js?x=1#y",
        "HTTP://127.0.0.1:41234/",
        "about:blank",
    ],
)
def test_lock_for_our_own_pages_is_open(lock: NavigationLock, opened: list[str], url: str) -> None:
    assert lock.lets_through(url, by_user=False)
    assert lock.lets_through(url, by_user=True)
    assert opened == []


FOREIGN = [
    "https://127.0.0.1:41234/",
    "http://127.0.0.1:41235/",
    "http://127.0.0.1/",
    "http://localhost:41234/",
    "http://127.0.0.2:41234/",
    "http://127.0.0.1:41234@evil.example/",
    "http://user@127.0.0.1:41234/",
    "http://127.0.0.1:41234.evil.example/",
    "http://evil.example/http://127.0.0.1:41234/",
    "http://127.0.0.1:41234\\@evil.example/",
    "http://evil.example\\@127.0.0.1:41234/",
    "http://[::1]:41234/",
    "http://127.0.0.1:99999999/",
    "http://[broken",
    "ws://127.0.0.1:41234/",
    "//127.0.0.1:41234/",
    "file:///etc/passwd",
    "data:text/html,<h1>x</h1>",
    "blob:http://127.0.0.1:41234/00000000-0000-0000-0000-000000000000",
    "javascript:alert(1)",
    "view-source:http://127.0.0.1:41234/",
    "ms-settings:about",
    "chrome://gpu",
    "qrc:/qtwebchannel/qwebchannel.js",
    "about:srcdoc",
    "",
    " http://127.0.0.1:41235/",
]


@pytest.mark.parametrize("url", FOREIGN)
def test_lock_for_everything_else_is_closed_and_a_script_opens_nothing(
    lock: NavigationLock, opened: list[str], url: str
) -> None:
    assert not lock.lets_through(url, by_user=False)
    assert opened == []


def test_lock_for_a_click_hands_web_and_mail_to_the_opener(lock: NavigationLock, opened: list[str]) -> None:
    links = ["https://example.org/a?b#c", "http://example.org", "mailto:a@example.org"]
    for url in [*links, "file:///etc/passwd", "ms-settings:about", "data:text/html,x", "javascript:alert(1)", "-x", ""]:
        assert not lock.lets_through(url, by_user=True)
    assert opened == links


def test_lock_never_hands_our_own_address_with_its_token_outside(lock: NavigationLock, opened: list[str]) -> None:
    lock.send_out(HOME, by_user=True)
    assert opened == []


def test_lock_whose_opener_fails_stays_closed(caplog: pytest.LogCaptureFixture) -> None:
    def fail(url: str) -> None:
        raise OSError("no browser")

    with caplog.at_level(logging.ERROR):
        assert not NavigationLock(HOME, fail).lets_through("https://example.org/", by_user=True)
    assert "a link could not be opened" in caplog.text


def test_lock_says_what_it_dropped_in_one_line(lock: NavigationLock, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        lock.lets_through("https://evil.example/\r\nforged\x1b[2J" + "a" * 5000, by_user=False)
    (record,) = caplog.records
    message = record.getMessage()
    assert "dropped a navigation to https://evil.example/" in message
    assert len(message) < 400 and not set("\r\n\x1b") & set(message)


@pytest.mark.parametrize("home", ["", "file:///index.html", "https://127.0.0.1:1/", "127.0.0.1:1"])
def test_lock_without_an_address_of_our_own_is_refused(home: str) -> None:
    with pytest.raises(ValueError, match="an http address of our own"):
        NavigationLock(home, print)


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What came through to the system's browser."""
    urls: list[str] = []

    def browser(url: str, new: int = 0, autoraise: bool = True) -> bool:
        urls.append(url)
        return True

    monkeypatch.setattr(webbrowser, "open", browser)
    yield urls


def test_webbrowser_called_by_pywebview_is_filtered_and_by_others_is_not(
    lock: NavigationLock, opened: list[str], reached: list[str]
) -> None:
    backend = types.ModuleType("webview.platforms.qt")
    exec("import webbrowser\ndef popup(url): return webbrowser.open(url, 2, True)", backend.__dict__)
    take_away = filter_webbrowser(lock)
    try:
        assert backend.popup("https://example.org/")
        assert backend.popup("ms-settings:about")
        assert (opened, reached) == (["https://example.org/"], [])
        webbrowser.open("https://example.org/by-our-opener")
        assert reached == ["https://example.org/by-our-opener"]
    finally:
        take_away()
    backend.popup("https://example.org/after")
    assert reached[-1] == "https://example.org/after"
    assert "webview" not in sys.modules or sys.modules["webview"] is not backend
