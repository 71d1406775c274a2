"""Questions that may hang: one at a time, the last answer in the meantime, and no thread between questions."""

from __future__ import annotations

import threading

import pytest

from llamero.infrastructure.gpu import GpuFailed, GpuPending, GpuReaderMissing
from llamero.infrastructure.latest_value import LatestValue
from tests.fakes.clock import FakeClock


class Question:
    """Counts how often it is asked; may be held up."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None
        self.go = threading.Event()
        self.go.set()

    def __call__(self) -> int:
        self.asked += 1
        assert self.go.wait(20)
        if self.error is not None:
            raise self.error
        return self.asked


def latest_value(question: Question, clock: FakeClock, **options: float) -> LatestValue[int]:
    return LatestValue(question, name="it", clock=clock, **{"patience_s": 20.0, **options})


def asking() -> int:
    return sum(thread.name == "ask-it" for thread in threading.enumerate())


def test_latest_value_is_asked_again_after_its_period_only() -> None:
    question, clock = Question(), FakeClock()
    value = latest_value(question, clock, period_s=5)
    assert [value.get(), value.get()] == [1, 1]
    clock.advance(5)
    assert value.get() == 2
    assert asking() == 0


def test_latest_value_of_what_is_not_installed_is_looked_for_again_after_a_while_only() -> None:
    question, clock = Question(), FakeClock()
    question.error = GpuReaderMissing("no driver is installed")
    value = latest_value(question, clock, absent_s=30)
    for _ in range(29):
        with pytest.raises(GpuReaderMissing):
            value.get()
        clock.advance(1)
    assert question.asked == 1
    question.error = None
    clock.advance(1)
    assert value.get() == 2
    clock.advance(1)
    assert value.get() == 3


def test_latest_value_while_the_question_hangs_gives_the_last_answer_until_it_is_too_old() -> None:
    question, clock = Question(), FakeClock()
    value = latest_value(question, clock, silence_s=10)
    assert value.get() == 1
    value._patience_s = 0.01
    question.go.clear()
    clock.advance(1)
    assert [value.get() for _ in range(5)] == [1] * 5
    clock.advance(9)
    assert value.get() == 1
    assert question.asked == 2
    clock.advance(1)
    with pytest.raises(GpuFailed, match="it has not answered for 10 s"):
        value.get()
    assert question.asked == 2
    assert not value.close(timeout_s=0.01)
    assert asking() == 1
    question.go.set()
    assert value.close(timeout_s=20)
    assert asking() == 0


def test_latest_value_before_the_first_answer_is_pending() -> None:
    question = Question()
    question.go.clear()
    value = latest_value(question, FakeClock(), patience_s=0)
    with pytest.raises(GpuPending):
        value.get()
    question.go.set()
    assert value.close(timeout_s=20)


def test_latest_value_with_unexpected_error_fails_like_any_other() -> None:
    question = Question()
    question.error = ZeroDivisionError("a bug")
    value = latest_value(question, FakeClock())
    with pytest.raises(GpuFailed, match="it failed unexpectedly: ZeroDivisionError: a bug"):
        value.get()


def test_latest_value_after_failure_is_asked_again() -> None:
    question = Question()
    question.error = GpuFailed("not now")
    value = latest_value(question, FakeClock())
    with pytest.raises(GpuFailed, match="not now"):
        value.get()
    question.error = None
    assert value.get() == 2


def test_latest_value_without_more_threads_fails_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    question = Question()
    value = latest_value(question, FakeClock())

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as system:
        system.setattr(threading.Thread, "start", refuse)
        with pytest.raises(GpuFailed, match="can't start new thread"):
            value.get()
    assert value.get() == 1
