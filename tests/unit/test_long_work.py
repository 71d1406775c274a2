"""Which ends of answers are told on the desktop."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from llamero.infrastructure.messages import default_messages
from llamero.models.conversations import Conversation, Message, MessageStatus, Role
from llamero.models.notifications import Notification
from llamero.models.settings import DesktopSettings
from llamero.services.long_work import LongWork

CONVERSATION = Conversation(id="c", title="Crossing\nthe Andes", created_at=1.0, updated_at=1.0)
ANSWER = Message(
    id="m", conversation_id="c", parent_id="q", role=Role.ASSISTANT, content="A secret", created_at=1.0,
    status=MessageStatus.COMPLETE,
)  # fmt: skip


class Desk:
    def __init__(self, **settings: object) -> None:
        self.settings = replace(DesktopSettings(), **settings)
        self.told: list[Notification] = []
        self.work = LongWork(lambda: self.settings, self.told.append, default_messages())

    def ended(self, status: MessageStatus = MessageStatus.COMPLETE, seconds: float = 60.0) -> list[str]:
        self.work.answer_ended(CONVERSATION, replace(ANSWER, status=status), seconds)
        return [one.body for one in self.told]


def test_long_answer_is_told_by_its_title_and_never_by_what_it_says() -> None:
    desk = Desk()
    assert desk.ended() == ["The answer is ready."]
    assert "secret" not in str(desk.told[0])
    assert "\n" not in desk.told[0].title and "Andes" in desk.told[0].title


@pytest.mark.parametrize(
    ("status", "seconds", "told"),
    [
        (MessageStatus.COMPLETE, 9.9, []),
        (MessageStatus.COMPLETE, 10.0, ["The answer is ready."]),
        (MessageStatus.FAILED, 60.0, ["The answer could not be finished."]),
        (MessageStatus.STOPPED, 60.0, []),
        (MessageStatus.INTERRUPTED, 60.0, []),
    ],
)
def test_answer_is_told_when_it_was_long_and_nobody_stopped_it(
    status: MessageStatus, seconds: float, told: list[str]
) -> None:
    assert Desk().ended(status, seconds) == told


def test_nothing_is_told_to_a_person_who_wants_nothing() -> None:
    desk = Desk(notify=False)
    desk.work.download_ended("llamero.deb")
    assert desk.ended() == []


def test_seconds_of_the_settings_count_at_once() -> None:
    desk = Desk(notify_after_s=100.0)
    assert desk.ended() == []
    desk.settings = replace(desk.settings, notify_after_s=0.0)
    assert desk.ended(seconds=0.1) == ["The answer is ready."]
