"""What models do, read off answers as they pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from llamero.models.chat import Timings, TokenCounts
from llamero.models.metrics import ServerActivity
from llamero.models.metrics_history import Generation
from llamero.services.llama.activity import Activity
from tests.fakes.clock import FakeClock


class FakeAnswer:
    """An answer that a test writes."""

    def __init__(self, *, whole: bool = False, served_by: str = "m") -> None:
        self.served_by = served_by
        self.generated = 0
        self.timings: Timings | None = None
        self.is_whole = whole
        self.first: Callable[[], None] = lambda: None

    @property
    def tokens(self) -> TokenCounts:
        return TokenCounts(0, self.generated)

    def when_first_piece(self, tell: Callable[[], None]) -> None:
        self.first = tell


def test_activity_counts_each_token_of_a_stream_once() -> None:
    clock = FakeClock()
    activity, answer = Activity(clock), FakeAnswer()
    with activity.asking("m") as asked:
        activity.answered(asked, answer)
        clock.advance(2)
        answer.generated = 100
        assert activity.read(["m"])["m"].generation_speed == 50
        clock.advance(1)
        answer.generated = 130
        assert activity.read(["m"])["m"].generation_speed == 30
        clock.advance(1)
        assert activity.read(["m"])["m"].generation_speed == 0
        answer.generated = 140
    clock.advance(2)
    assert activity.read(["m"])["m"].generation_speed == 5
    clock.advance(2)
    assert activity.read(["m"])["m"] == ServerActivity()


def test_activity_adds_streams_of_one_model_and_keeps_models_apart() -> None:
    clock = FakeClock()
    activity = Activity(clock)
    first, second, other = FakeAnswer(), FakeAnswer(), FakeAnswer(served_by="n")
    with activity.asking("m") as one, activity.asking("m") as two, activity.asking("n") as three:
        for asked, answer in ((one, first), (two, second), (three, other)):
            activity.answered(asked, answer)
        clock.advance(1)
        first.generated, second.generated, other.generated = 10, 20, 7
        read = activity.read(["m", "n", "idle"])
    assert {alias: each.generation_speed for alias, each in read.items()} == {"m": 30, "n": 7, "idle": 0}


def test_activity_counts_for_the_server_that_answers_whatever_it_was_asked_as() -> None:
    clock = FakeClock()
    activity, answer = Activity(clock), FakeAnswer(served_by="first name")
    with activity.asking("second name") as asked:
        activity.answered(asked, answer)
        clock.advance(1)
        answer.generated = 10
        assert activity.read(["first name"])["first name"].generation_speed == 10
    assert [one.alias for one in activity.generations()] == ["first name"]


def test_activity_first_token_counts_from_the_question() -> None:
    clock = FakeClock()
    activity, answer = Activity(clock), FakeAnswer()
    with activity.asking("m") as asked:
        clock.advance(3)  # the model was loaded
        activity.answered(asked, answer)
        clock.advance(0.5)
        answer.first()
        assert activity.read(["m"])["m"].first_token_s == pytest.approx(3.5)
        assert activity.read(["m"])["m"].first_token_s is None


def test_activity_prompt_and_context_are_known_when_an_answer_ends() -> None:
    clock = FakeClock()
    activity, answer = Activity(clock), FakeAnswer()
    with activity.asking("m") as asked:
        activity.answered(asked, answer)
        answer.timings = Timings(cache_n=100, prompt_n=50, prompt_ms=250.0, predicted_n=8, predicted_ms=100.0)
        assert activity.read(["m"])["m"].prompt_speed is None
    read = activity.read(["m"])["m"]
    assert (read.prompt_speed, read.context_tokens) == (200.0, 158)
    later = activity.read(["m"])["m"]
    assert (later.prompt_speed, later.context_tokens) == (None, 158)
    activity.read([])  # the server is gone, and its context with it
    assert activity.read(["m"])["m"].context_tokens is None


def test_activity_answer_in_one_piece_counts_with_its_mean_speed() -> None:
    clock = FakeClock()
    activity, answer = Activity(clock), FakeAnswer(whole=True)
    with activity.asking("m") as asked:
        answer.generated, answer.timings = 500, Timings(predicted_n=500, predicted_ms=10_000.0)
        activity.answered(asked, answer)
    clock.advance(1)
    assert activity.read(["m"])["m"].generation_speed == 50


def test_activity_tells_each_generation_once_and_none_for_what_was_refused() -> None:
    clock = FakeClock()
    activity = Activity(clock)
    begin = clock.wall
    with pytest.raises(ZeroDivisionError), activity.asking("m"):
        raise ZeroDivisionError  # the queue was full
    with activity.asking("m") as asked:
        activity.answered(asked, FakeAnswer())
        clock.advance(4)
        assert activity.under_way() == (Generation(alias="m", start=begin, end=begin + 4),)
        clock.wall -= 60  # set back meanwhile: it lasted no negative time
    assert activity.generations() == (Generation(alias="m", start=begin, end=begin),)
    assert activity.generations() == activity.under_way() == ()
