"""What waits for a window: merged without loss, in an order that was published, and counted."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from llamero.bridge.merging import Pending
from llamero.models.bridge.chats import ChatFrame, Progress, ProgressKind
from llamero.models.conversations import Message, Role

LOADING = Progress(kind=ProgressKind.LOADING, model="m")
READING = Progress(kind=ProgressKind.READING, model="m", done=1, total=2)
RECOVERING = Progress(kind=ProgressKind.RECOVERING, model="m")
MESSAGE = Message(id="m", conversation_id="c", parent_id=None, role=Role.ASSISTANT, content="ab", created_at=1.0)


def taken(pending: Pending) -> list[dict[str, Any]]:
    frames = []
    while bodies := pending.take():
        frames += [json.loads(b"{" + body + b"}") for body in bodies]
    assert pending.size == 0
    return frames


def test_pending_texts_of_a_channel_are_joined() -> None:
    pending = Pending()
    for frame in (ChatFrame(text="a"), ChatFrame(reasoning="x"), ChatFrame(text="b", tokens_per_second=3.0)):
        pending.add_frame(7, frame)
    assert taken(pending) == [{"ch": 7, "d": {"text": "ab", "reasoning": "x", "tokens_per_second": 3.0}}]


def test_pending_channels_do_not_mix() -> None:
    pending = Pending()
    for channel, text in ((1, "a"), (2, "x"), (1, "b"), (2, "y")):
        pending.add_frame(channel, ChatFrame(text=text))
    assert taken(pending) == [{"ch": 1, "d": {"text": "ab"}}, {"ch": 2, "d": {"text": "xy"}}]


def test_pending_later_progress_wins() -> None:
    pending = Pending()
    pending.add_frame(1, ChatFrame(progress=LOADING))
    pending.add_frame(1, ChatFrame(progress=READING))
    assert taken(pending)[0]["d"]["progress"] == {"kind": "reading", "model": "m", "done": 1, "total": 2}


def test_pending_text_ends_the_wait_for_it() -> None:
    pending = Pending()
    pending.add_frame(1, ChatFrame(progress=READING))
    pending.add_frame(1, ChatFrame(text="a"))
    assert taken(pending) == [{"ch": 1, "d": {"text": "a"}}]


def test_pending_progress_behind_text_follows_it() -> None:
    pending = Pending()
    pending.add_frame(1, ChatFrame(text="a"))
    pending.add_frame(1, ChatFrame(progress=RECOVERING))
    first, second = taken(pending)
    assert first["d"] == {"text": "a"}
    assert second["d"]["progress"]["kind"] == "recovering"


def test_pending_end_comes_behind_everything_of_its_channel() -> None:
    pending = Pending()
    pending.add_frame(1, ChatFrame(text="a"))
    pending.add_frame(1, ChatFrame(message=MESSAGE))
    pending.add_end(1)
    data, end = taken(pending)
    assert data["d"]["message"]["content"] == "ab"
    assert end == {"ch": 1, "end": True}


def test_pending_end_alone_is_sent() -> None:
    pending = Pending()
    pending.add_end(1)
    assert taken(pending) == [{"ch": 1, "end": True}]


def test_pending_event_replaces_its_like_and_goes_to_the_end() -> None:
    pending = Pending()
    pending.add_event("conversation", "a", b'"ev":"conversation","d":1')
    pending.add_event("conversation_deleted", "a", b'"ev":"conversation_deleted","d":2')
    pending.add_event("conversation", "b", b'"ev":"conversation","d":3')
    pending.add_event("conversation", "a", b'"ev":"conversation","d":4')
    assert [frame["d"] for frame in taken(pending)] == [2, 3, 4]


PIECES = st.tuples(st.integers(1, 3), st.sampled_from(["text", "reasoning", "progress", "take"]), st.text(max_size=5))


@given(st.lists(PIECES, max_size=60))
def test_pending_loses_nothing_whenever_it_is_taken(steps: list[tuple[int, str, str]]) -> None:
    pending = Pending()
    wanted: dict[tuple[int, str], str] = {}
    got: dict[tuple[int, str], str] = {}

    def note(bodies: list[bytes]) -> None:
        for body in bodies:
            frame = json.loads(b"{" + body + b"}")
            for part in ("text", "reasoning"):
                place = frame["ch"], part
                got[place] = got.get(place, "") + frame["d"].get(part, "")

    for channel, kind, text in steps:
        if kind == "take":
            note(pending.take())
        elif kind == "progress":
            pending.add_frame(channel, ChatFrame(progress=READING))
        else:
            frame = ChatFrame(text=text) if kind == "text" else ChatFrame(reasoning=text)
            pending.add_frame(channel, frame)
            wanted[channel, kind] = wanted.get((channel, kind), "") + text
    while bodies := pending.take():
        note(bodies)
    assert {place: text for place, text in got.items() if text} == {p: text for p, text in wanted.items() if text}
    assert pending.size == 0
