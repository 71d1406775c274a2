"""What of a remote server's event stream is handed on."""

from __future__ import annotations

import json

import pytest

from llamero.models.inference import CHAT
from llamero.services.remote_events import ChatEvents, NamedEvents, remote_events


def chunk(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return b"data: " + json.dumps({"id": "x", "choices": [choice]}).encode() + b"\n\n"


STREAM = chunk("a") + chunk("b", "stop") + b"data: [DONE]\n\n"


def told(stream: bytes, endpoint: str = CHAT, size: int = 1 << 20) -> tuple[bytes, ChatEvents | NamedEvents]:
    events = remote_events(endpoint)
    raw = b"".join(events.feed(stream[at : at + size]).raw for at in range(0, len(stream), size))
    return raw + events.finish().raw, events


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_remote_events_whole_stream_is_handed_on_unchanged(size: int) -> None:
    raw, events = told(STREAM, size=size)
    assert (raw, events.broken) == (STREAM, None)


@pytest.mark.parametrize("size", [1, 7])
def test_remote_events_come_whole(size: int) -> None:
    events = remote_events(CHAT)
    for at in range(0, len(STREAM), size):
        raw = events.feed(STREAM[at : at + size]).raw
        assert not raw or raw.endswith(b"\n\n")


def test_remote_chat_event_names_do_not_pass() -> None:
    raw, _ = told(b"event: evil\n" + chunk("a") + b"event: lone\n\n" + chunk("", "stop"))
    assert raw == chunk("a") + chunk("", "stop") + b"data: [DONE]\n\n"


@pytest.mark.parametrize("name", ["response.output_text.delta", "error"])
def test_remote_responses_known_names_pass(name: str) -> None:
    event = f'event: {name}\ndata: {{"type":"{name}"}}\n\n'.encode()
    assert told(event, "/v1/responses")[0] == event


@pytest.mark.parametrize("name", ["message_start", "response.", "evil", "response.a\x00"])
def test_remote_responses_other_names_do_not_pass(name: str) -> None:
    assert told(f"event: {name}\ndata: x\n\n".encode(), "/v1/responses")[0] == b"data: x\n\n"


def test_remote_messages_known_names_pass() -> None:
    event = b"event: content_block_delta\ndata: {}\n\n"
    assert told(event, "/v1/messages")[0] == event


def test_remote_chat_that_ends_in_the_middle_is_broken() -> None:
    raw, events = told(chunk("a"))
    assert raw == chunk("a")
    assert events.broken is not None


def test_remote_chat_forgotten_end_mark_is_added() -> None:
    assert told(chunk("a", "stop"))[0].endswith(b"data: [DONE]\n\n")


def test_remote_chat_nothing_passes_after_the_end_mark() -> None:
    assert told(STREAM + chunk("more"))[0] == STREAM


def test_remote_chat_error_event_ends_it() -> None:
    error = b'data: {"error":{"message":"out of memory"}}\n\n'
    raw, events = told(chunk("a") + error + chunk("b"))
    assert (raw, events.broken) == (chunk("a") + error, None)


def test_remote_chat_event_that_is_broken_json_breaks_the_stream_after_what_came_before() -> None:
    raw, events = told(chunk("a") + b"data: {\n\n" + chunk("b"))
    assert raw == chunk("a")
    assert events.broken is not None
