"""The splitting of event streams, however they are written and cut."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamero.models.errors import UpstreamFailed
from llamero.services.llama import sse
from llamero.services.llama.sse import SseEvent, SseSplitter, data_event

TEXT = '{"content":"río 山 🦙"}'.encode()
STREAMS: dict[str, tuple[bytes, list[bytes]]] = {
    "lf": (b"data: one\n\ndata: two\n\n", [b"one", b"two"]),
    "cr": (b"data: one\r\rdata: two\r\r", [b"one", b"two"]),
    "crlf": (b"data: one\r\n\r\ndata: two\r\n\r\n", [b"one", b"two"]),
    "mixed": (b"data: one\r\n\ndata: two\n\rdata: three\r\r\ndata: four\n\n", [b"one", b"two", b"three", b"four"]),
    "comments": (b":\n\n: ping\n\n: note\ndata: one\n\n:\n\n", [b"one"]),
    "comments in crlf": (b":\r\n\r\n: note\r\ndata: one\r\n\r\n", [b"one"]),
    "multi-line": (b'data: {\ndata:  "a":\ndata: 1}\n\n', [b'{\n "a":\n1}']),
    "no space": (b"data:one\n\ndata:  two\n\n", [b"one", b" two"]),
    "empty data": (b"data\n\ndata:\n\ndata: x\n\n", [b"", b"", b"x"]),
    "other fields": (b"id: 7\nretry: 10\nunknown: x\ndata: one\n\n", [b"one"]),
    "characters": (b"data: " + TEXT + b"\n\ndata: [DONE]\n\n", [TEXT, b"[DONE]"]),
    "characters in crlf": (b"data: " + TEXT + b"\r\n\r\ndata: [DONE]\r\n\r\n", [TEXT, b"[DONE]"]),
    "unterminated": (b"data: one\n\ndata: two\n", [b"one", b"two"]),
    "many blank lines": (b"\n\n\n\ndata: one\n\n\n\n\ndata: two\n\n", [b"one", b"two"]),
}


def split(pieces: list[bytes]) -> list[SseEvent]:
    splitter = SseSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events + splitter.finish()


def said(events: list[SseEvent]) -> list[bytes]:
    return [event.data for event in events if event.data is not None]


def cut(stream: bytes, size: int) -> list[bytes]:
    return [stream[start : start + size] for start in range(0, len(stream), size)]


@pytest.mark.parametrize("name", STREAMS)
def test_stream_whole_gives_its_events(name: str) -> None:
    stream, expected = STREAMS[name]
    assert said(split([stream])) == expected


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 3, 17])
def test_stream_in_small_pieces_gives_the_same_events(name: str, size: int) -> None:
    stream, expected = STREAMS[name]
    events = split(cut(stream, size))
    assert said(events) == expected
    assert b"".join(event.raw for event in events).rstrip(b"\n") == stream.rstrip(b"\n")


@pytest.mark.parametrize("name", STREAMS)
def test_stream_cut_at_every_position_gives_the_same_events(name: str) -> None:
    stream, expected = STREAMS[name]
    for position in range(len(stream) + 1):
        assert said(split([stream[:position], stream[position:]])) == expected, position


LINES = st.sampled_from([b"data: a", b"data:b", b"data", b": c", b"event: evil", b"id: 1", b"", "data: 山".encode()])
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(LINES, ENDS), max_size=30), st.data())
def test_any_stream_at_any_cuts_gives_the_same_events_and_bytes(
    lines: list[tuple[bytes, bytes]], draw: st.DataObject
) -> None:
    stream = b"".join(itertools.chain.from_iterable(lines)) + b"\n\n"
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    pieces = [stream[a:b] for a, b in itertools.pairwise([0, *cuts, len(stream)])]
    events = split(pieces)
    assert said(events) == said(split([stream]))
    assert [event.name for event in events if event.data is not None] == [
        event.name for event in split([stream]) if event.data is not None
    ]
    assert b"".join(event.raw for event in events) == stream


def test_event_is_given_out_as_soon_as_its_empty_line_is_there() -> None:
    for newline in (b"\n", b"\r", b"\r\n"):
        assert said(SseSplitter().feed(b"data: now" + newline * 2)) == [b"now"]


def test_event_of_a_megabyte_arrives_whole_and_in_small_pieces_without_quadratic_work() -> None:
    data = b"x" * 1_000_000
    stream = b"data: " + data + b"\n\n"
    assert said(split(cut(stream, 65_536))) == [data]
    began = time.monotonic()
    assert said(split(cut(stream, 10))) == [data]
    assert time.monotonic() - began < 5.0  # copying the rest for every piece would take a minute


def test_event_beyond_the_limit_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "MAX_EVENT_BYTES", 1000)
    splitter = SseSplitter()
    splitter.feed(b"data: " + b"x" * 900)
    with pytest.raises(UpstreamFailed):
        splitter.feed(b"x" * 200)


def test_event_name_is_read() -> None:
    (event,) = split([b"event: response.created\ndata: {}\n\n"])
    assert (event.name, event.data) == (b"response.created", b"{}")


@pytest.mark.parametrize("data", [b"{}", b"[DONE]", b"two\nlines", TEXT])
def test_data_event_reads_back_to_its_data(data: bytes) -> None:
    assert said(split([data_event(data)])) == [data]


@given(st.lists(st.sampled_from([b"data: ", b"data:", b"event: x", b"{}", b": ", b"\n", b"\n\n", b"\r", b"\r\n"])))
def test_single_event_is_what_feeding_gives_and_everything_else_is_left_to_it(pieces: list[bytes]) -> None:
    chunk = b"".join(pieces)
    data = SseSplitter().single(chunk)
    if data is not None:
        assert SseSplitter().feed(chunk) == [SseEvent(chunk, data)]


def test_single_event_of_one_line_is_recognized_and_not_behind_half_an_event() -> None:
    splitter = SseSplitter()
    assert splitter.single(b"data: {}\n\n") == b"{}"
    splitter.feed(b"data: {")
    assert splitter.single(b"data: {}\n\n") is None
