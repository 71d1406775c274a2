"""The token bucket: how much, how long, and never more than the limit in any minute by more than a burst."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.gateway.access import duration
from llamero.services.rate_limits import WINDOW_S, TokenBucket


def test_bucket_lets_its_limit_in_at_once_and_then_says_how_long_to_wait() -> None:
    bucket = TokenBucket(3, 100.0)
    assert [bucket.take(100.0).remaining for _ in range(3)] == [2, 1, 0]
    refused = bucket.take(100.0)
    assert (refused.remaining, refused.retry_after_s, refused.reset_s) == (0, 20.0, 60.0)
    assert bucket.take(119.9).retry_after_s == pytest.approx(0.1)
    assert bucket.take(120.0).retry_after_s is None


def test_bucket_is_full_again_after_a_minute_and_holds_no_more_than_its_limit() -> None:
    bucket = TokenBucket(2, 0.0)
    bucket.take(0.0)
    bucket.take(0.0)
    assert [bucket.take(10_000.0).retry_after_s is None for _ in range(3)] == [True, True, False]


@given(limit=st.integers(1, 100), waits=st.lists(st.floats(0, 30), max_size=300))
def test_bucket_never_lets_more_in_than_a_burst_and_what_has_refilled(limit: int, waits: list[float]) -> None:
    bucket, now, let_in = TokenBucket(limit, 0.0), 0.0, 0
    for wait in waits:
        now += wait
        standing = bucket.take(now)
        let_in += standing.retry_after_s is None
        assert 0 <= standing.remaining <= limit
        assert 0 <= standing.reset_s <= WINDOW_S + 1e-6
        assert let_in <= limit + now * limit / WINDOW_S + 1e-6


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0ms"), (0.12, "120ms"), (1, "1s"), (8.64, "8.64s"), (60, "1m0s"), (360.4, "6m0s")]
)
def test_duration_is_written_as_the_openai_api_does(seconds: float, text: str) -> None:
    assert duration(seconds) == text
