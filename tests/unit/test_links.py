"""What may be opened outside, and as what."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.infrastructure.links import LINK_LIMIT, LinkOpener, safe_link
from llamero.models.errors import InvalidRequest, IoFailed


@pytest.mark.parametrize(
    ("link", "safe"),
    [
        ("https://example.com", "https://example.com"),
        ("HTTPS://Example.COM/Path?q=1#part", "https://example.com/Path?q=1#part"),
        ("http://example.com:8080/a%20b", "http://example.com:8080/a%20b"),
        ("http://[::1]:3000/", "http://[::1]:3000/"),
        ("https://example.com/$(reboot);`x`|&", "https://example.com/$(reboot);%60x%60%7C&"),
        ("https://example.com/'\"<>", "https://example.com/'%22%3C%3E"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://example.com/?a=b&c=[d]", "https://example.com/?a=b&c=[d]"),
        ("mailto:me@example.com", "mailto:me@example.com"),
        ("mailto:me@example.com?subject=Hi%20there&body=x", "mailto:me@example.com?subject=Hi%20there&body=x"),
    ],
)
def test_link_that_is_allowed_is_written_anew(link: str, safe: str) -> None:
    assert safe_link(link) == safe
    assert safe_link(safe) == safe


@pytest.mark.parametrize(
    "link",
    [
        "", " ", "example.com", "//example.com", "/etc/passwd", "-h", "--version", "-https://example.com",
        "javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "file:///etc/passwd", "vbscript:x",
        "smb://host/share", "ms-msdt:/id PCWDiagnostic", "ms-settings:about", "search-ms:query=x", "ftp://example.com",
        "tel:1", "blob:https://example.com/x", "about:blank", "chrome://settings", "view-source:https://example.com",
        "https:", "https://", "https:///path", "https:example.com", "http:/example.com", "https://-oProxyCommand=x",
        "https://user@example.com", "https://user:secret@example.com", "https://github.com@evil.example",
        "https://example.com\\@evil.example", "https:\\\\evil.example", "https://exa mple.com", "https://exam%70le.com",
        "https://example.com\n--option", "https://example.com\0", "\thttps://example.com", "java\tscript:alert(1)",
        "https://example.com:99999", "https://example.com:x", "https://[::1", "https://[::1%25eth0]/", "https://[zz]/",
        "https://example.com/\u202egnp.exe", "https://exa\u200bmple.com", "https://a..b",
        "https://" + "a" * 64 + ".com",
        "mailto:", "mailto:me", "mailto:-x@example.com", "mailto:me@example.com?attach=/etc/passwd",
        "mailto:me@example.com?Attachment=/etc/passwd", "mailto:me@example.com?subject", "mailto://me@example.com",
        "mailto:a@b.c%0aBcc:x@y.z", "mailto:a@b.c -attach /etc/passwd", "https://example.com/" + "a" * LINK_LIMIT,
        "https://example.com/" + "ü" * (LINK_LIMIT // 2), "\ud800https://example.com",
    ],
)  # fmt: skip
def test_link_that_is_not_allowed_is_refused(link: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        safe_link(link)
    assert refusal.value.code == "bridge_error-link_not_allowed"


@given(
    st.text(max_size=60).flatmap(
        lambda tail: st.sampled_from(["https://", "http://e.com/", "mailto:"]).map(lambda s: s + tail)
    )
)
def test_link_whatever_it_is_becomes_plain_ascii_or_is_refused(link: str) -> None:
    try:
        safe = safe_link(link)
    except InvalidRequest:
        return
    assert safe.isascii()
    assert safe.split(":")[0] in ("http", "https", "mailto")
    assert not set(safe) & set(" \t\r\n\"'<>\\`^{|}") - {"'"}
    assert safe_link(safe) == safe


async def test_opener_gets_the_link_that_was_checked() -> None:
    opened: list[tuple[str, str]] = []

    def opener(link: str) -> bool:
        opened.append((link, threading.current_thread().name))
        return True

    await LinkOpener(opener).open("HTTPS://EXAMPLE.com/a b".replace(" ", "%20"))
    assert opened == [("https://example.com/a%20b", "open-link")]
    with pytest.raises(InvalidRequest):
        await LinkOpener(opener).open("file:///etc/passwd")
    assert len(opened) == 1


async def test_opener_that_finds_no_browser_says_so() -> None:
    def failing(link: str) -> bool:
        raise OSError("no such program")

    for opener in (failing, lambda link: False):
        with pytest.raises(IoFailed) as refusal:
            await LinkOpener(opener).open("https://example.com")
        assert refusal.value.code == "bridge_error-no_browser"


async def test_opener_that_never_returns_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llamero.infrastructure.links.OPEN_TIMEOUT_S", 0.05)
    release = threading.Event()
    await LinkOpener(lambda link: release.wait(20)).open("https://example.com")
    release.set()


@pytest.mark.parametrize("name", ["DISPLAY", "WAYLAND_DISPLAY"])
async def test_opener_without_a_display_starts_nothing(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("llamero.infrastructure.links.sys.platform", "linux")
    for variable in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(variable, raising=False)
    opened: list[str] = []

    def note(link: str) -> bool:
        opened.append(link)
        return True

    monkeypatch.setattr("webbrowser.open", note)
    with pytest.raises(IoFailed):
        await LinkOpener().open("https://example.com")
    assert opened == []
    monkeypatch.setenv(name, ":0")
    await LinkOpener().open("https://example.com")
    assert opened == ["https://example.com"]
