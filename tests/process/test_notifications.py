"""Notifications over a real D-Bus, to a program that shows them as a desktop does."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from llamero.infrastructure.notifications import Notifier, apple_command
from llamero.models.notifications import Notification
from tests.fakes.session_bus import ADDRESS, desktop_notifications, session_bus

HOSTILE = Notification(title='<b>"$(id)" & \u202e', body="The answer is ready.", action="Show Llamero")


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with session_bus() as address:
        monkeypatch.setenv(ADDRESS, address)
        yield address


async def test_notification_is_shown_with_its_words_and_a_click_is_told(bus: str) -> None:
    clicked = threading.Event()
    with desktop_notifications(bus, "--click") as shown:
        assert await Notifier(clicked.set).show(HOSTILE)
        told = shown.next()
    assert (told["title"], told["body"], told["actions"]) == (HOSTILE.title, HOSTILE.body, ["default", HOSTILE.action])
    assert (told["application"], told["entry"]) == ("Llamero", "llamero")
    assert clicked.wait(10)


async def test_notification_that_nobody_clicks_holds_up_nothing(bus: str) -> None:
    clicked = threading.Event()
    notifier = Notifier(clicked.set)
    with desktop_notifications(bus) as shown:
        for _ in range(8):
            assert await notifier.show(HOSTILE)
        assert [shown.next()["title"] for _ in range(8)] == [HOSTILE.title] * 8
    assert not clicked.is_set()


async def test_notification_on_a_bus_without_a_desktop_says_so(bus: str) -> None:
    assert not await Notifier(lambda: None).show(HOSTILE)


@pytest.mark.parametrize("address", ["", "unix:path=/nowhere/bus", "nonsense"])
async def test_notification_without_a_bus_says_so(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv(ADDRESS, address)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/nowhere")
    assert not await Notifier(lambda: None).show(HOSTILE)


def test_notification_of_macos_has_its_words_as_arguments_and_not_in_the_script() -> None:
    command = apple_command(Notification(title='" & (do shell script "id") & "', body="b", action="a"))
    assert command[-2:] == ('" & (do shell script "id") & "', "b")
    assert not any("do shell script" in word for word in command[:-2])
