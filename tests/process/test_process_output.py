"""Cutting, keeping and limiting what a child wrote, without a child."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.infrastructure.processes.output import (
    LINE_BYTES,
    LOG_LINES_PER_S,
    LineCutter,
    LogLimiter,
    OutputRing,
    clean,
)
from llamero.models.llama import OutputLines


@given(st.lists(st.binary(max_size=60).map(lambda b: b.replace(b"\r", b"")), max_size=20))
def test_cutter_any_chunking_gives_the_lines_of_the_whole(chunks: list[bytes]) -> None:
    cutter = LineCutter()
    lines = [line for chunk in chunks for line in cutter.feed(chunk)] + cutter.flush()
    expected = b"".join(chunks).split(b"\n")
    if not expected[-1]:
        expected.pop()
    assert lines == expected


@pytest.mark.parametrize("size", [1, 7, 4096, 65536])
def test_cutter_line_beyond_the_limit_is_cut_and_counted(size: int) -> None:
    cutter, data = LineCutter(), b"x" * 100_000 + b"\nnext\n"
    lines = [line for start in range(0, len(data), size) for line in cutter.feed(data[start : start + size])]
    assert len(lines) == 2
    assert len(lines[0]) <= LINE_BYTES
    kept, _, mark = lines[0].partition(b" ")
    assert mark == b"[%d bytes cut]" % (100_000 - len(kept))
    assert lines[1] == b"next"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"\x1b[1;31mred\x1b[0m", "red"),
        (b"\x1b]0;title\x07rest", "rest"),
        (b"bell\x07 and null\x00", "bell and null"),
        (b"tab\tstays", "tab\tstays"),
        ("señal 🦙".encode(), "señal 🦙"),
        (b"cut \xc3", "cut \ufffd"),
    ],
)
def test_clean_removes_what_would_act_on_a_terminal(raw: bytes, text: str) -> None:
    assert clean(raw) == text


def test_limiter_passes_so_many_a_second_and_reports_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    now = 5.0
    caplog.set_level(logging.INFO, logger="test.engine")
    limiter = LogLimiter(logging.getLogger("test.engine"), "qwen", clock=lambda: now)
    limiter.log([f"line {number}" for number in range(LOG_LINES_PER_S + 50)])
    limiter.log(["one more"])
    assert len(caplog.messages) == LOG_LINES_PER_S
    now = 6.0
    limiter.log(["the next second"])
    assert caplog.messages[-2:] == ["[qwen] 51 lines left out", "[qwen] the next second"]


def test_limiter_logs_each_line_at_its_level_and_counts_none_that_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="test.engine")
    levels = {"a detail": logging.DEBUG, "broken": logging.ERROR}
    limiter = LogLimiter(logging.getLogger("test.engine"), "qwen", level_of=levels.__getitem__, clock=lambda: 5.0)
    limiter.log(["a detail"] * (LOG_LINES_PER_S + 50) + ["broken"])
    limiter.report()
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [(logging.ERROR, "[qwen] broken")]


def test_ring_tail_gives_the_last_lines_oldest_first() -> None:
    ring = OutputRing()
    ring.extend([str(number) for number in range(1000)])
    assert ring.tail(3) == ("997", "998", "999")
    assert len(ring.tail(5000)) == 512
    assert ring.tail(0) == ()


def test_ring_since_gives_what_came_after_as_far_as_it_is_kept() -> None:
    ring = OutputRing()
    assert ring.since(0) == OutputLines(written=0, lines=())
    ring.extend(["a", "b", "c"])
    assert ring.since(1) == OutputLines(written=3, lines=("b", "c"))
    assert ring.since(3) == OutputLines(written=3, lines=())
    ring.extend([str(number) for number in range(1000)])
    assert (ring.since(3).written, len(ring.since(3).lines), ring.since(3).lines[-1]) == (1003, 512, "999")
    assert ring.since(5000).lines == ()
