"""The arithmetic of a bench: which cases, which medians, which comparison."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from llamero.models.bench import (
    BenchAnswer,
    BenchCase,
    BenchDifference,
    BenchEnd,
    BenchEngine,
    BenchHardware,
    BenchPlace,
    BenchResult,
    BenchRun,
)
from llamero.services.bench.figures import FULL, QUICK, ROOM, cases_of, comparison, result_of
from llamero.services.bench.measuring import WARM_UP_WORDS
from llamero.services.bench.prompts import Prompts

ALONE = BenchCase(prompt=128, streams=1)


def shown(cases: tuple[BenchCase, ...]) -> list[tuple[int, int]]:
    return [(case.prompt, case.streams) for case in cases]


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        (None, [(128, 1), (512, 1), (2048, 1), (4096, 1), (128, 2), (128, 4), (128, 8)]),
        (8192, [(128, 1), (512, 1), (2048, 1), (4096, 1), (128, 2), (128, 4), (128, 8)]),
        (4096, [(128, 1), (512, 1), (2048, 1), (128, 2), (128, 4), (128, 8)]),
        (2 * (128 + 64 + ROOM), [(128, 1), (128, 2)]),
        (2 * (128 + 64 + ROOM) - 1, [(128, 1)]),
        (100, []),
    ],
)
def test_cases_are_those_that_fit_into_the_context(context: int | None, expected: list[tuple[int, int]]) -> None:
    assert shown(cases_of(FULL, context)) == expected


def test_quick_cases_are_among_the_full_ones_so_that_they_compare() -> None:
    assert set(cases_of(QUICK, None)) < set(cases_of(FULL, None))


def answer(first: float, end: float, prompt: float | None = None, written: float | None = None) -> BenchAnswer:
    return BenchAnswer(
        prompt_tokens=100,
        generated_tokens=11,
        first_token_s=first,
        end_s=end,
        prompt_speed=prompt,
        generation_speed=written,
    )


def test_medians_take_the_clock_of_an_engine_that_has_one() -> None:
    result = result_of(ALONE, [[answer(1.0, 2.0, speed, speed / 10)] for speed in (300.0, 100.0, 200.0)])
    assert (result.prompt_speed, result.generation_speed, result.rounds) == (200.0, 20.0, 3)
    assert (result.prompt_tokens, result.first_token_ms) == (100, 1000.0)


def test_medians_without_a_clock_are_end_to_end() -> None:
    result = result_of(ALONE, [[answer(0.5, 2.5)], [answer(0.5, 1.5)], [answer(0.5, 1.5)]])
    assert result.prompt_speed == 200.0  # 100 tokens until the first of the answer
    assert result.generation_speed == 10.0  # ten more in a second
    assert result.total_speed == 11.0
    assert result.spread == pytest.approx((11.0 - 5.5) / 11.0)


def test_streams_together_count_from_the_first_that_writes_to_the_last_that_ends() -> None:
    together = [answer(1.0, 2.0), answer(1.5, 3.0)]
    result = result_of(BenchCase(prompt=128, streams=2), [together])
    assert result.total_speed == 22 / 2.0
    assert (result.rounds, result.spread) == (1, 0.0)


def test_answer_that_comes_all_at_once_is_not_infinitely_fast() -> None:
    result = result_of(ALONE, [[answer(1.0, 1.0, 100.0, 22.0)]])
    assert result.total_speed == pytest.approx(22.0)
    assert result_of(ALONE, [[answer(1.0, 1.0)]]).total_speed == 0.0


def test_case_without_an_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        result_of(ALONE, [[]])


def result(speed: float, case: BenchCase = ALONE) -> BenchResult:
    return BenchResult(
        case=case,
        prompt_tokens=case.prompt,
        prompt_speed=10 * speed,
        generation_speed=speed,
        total_speed=speed,
        first_token_ms=1.0,
        spread=0.0,
        rounds=3,
    )


ENGINE = BenchEngine(kind="embedded", variant="cpu", build="1", arguments="--threads 2")
BEFORE = BenchRun(
    id=1,
    model="m",
    place=BenchPlace.LOCAL,
    started_at=100.0,
    end=BenchEnd.COMPLETE,
    quick=False,
    hardware=BenchHardware(cpu="A", cores=2),
    version="1",
    planned=1,
    results=(result(20.0),),
    engine=ENGINE,
    file="m.gguf",
    file_size=5,
)
NOW = replace(BEFORE, id=9, started_at=900.0, results=(result(25.0), result(5.0, BenchCase(prompt=512, streams=1))))


def test_comparison_is_in_percent_and_of_common_cases_only() -> None:
    found = comparison(NOW, [BEFORE])
    assert found is not None
    assert (found.id, found.differences) == (1, ())
    assert [(change.case, change.generation_speed) for change in found.changes] == [(ALONE, pytest.approx(25.0))]


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"file_size": 6}, BenchDifference.FILE),
        ({"hardware": BenchHardware(cpu="B", cores=2)}, BenchDifference.HARDWARE),
        ({"engine": replace(ENGINE, build="2")}, BenchDifference.ENGINE),
        ({"engine": replace(ENGINE, variant="cuda")}, BenchDifference.ENGINE),
        ({"engine": replace(ENGINE, arguments="")}, BenchDifference.ARGUMENTS),
        ({"place": BenchPlace.REMOTE}, BenchDifference.PLACE),
    ],
)
def test_comparison_names_what_differs(change: dict[str, object], difference: BenchDifference) -> None:
    found = comparison(replace(NOW, **change), [BEFORE])
    assert found is not None
    assert found.differences == (difference,)


def test_comparison_prefers_the_newest_run_without_differences() -> None:
    other_engine = replace(BEFORE, id=3, started_at=300.0, engine=replace(ENGINE, build="0"))
    newer = replace(BEFORE, id=2, started_at=200.0)
    found = comparison(NOW, [other_engine, newer, BEFORE])
    assert found is not None
    assert found.id == 2


@pytest.mark.parametrize(
    "other",
    [
        NOW,
        replace(BEFORE, model="another"),
        replace(BEFORE, started_at=901.0),
        replace(BEFORE, results=()),
        replace(BEFORE, results=(result(1.0, BenchCase(prompt=128, streams=4)),)),
    ],
)
def test_comparison_is_none_without_an_earlier_run_that_shares_a_case(other: BenchRun) -> None:
    assert comparison(NOW, [other]) is None


def test_prompts_never_begin_alike_and_come_to_the_length_that_was_learned() -> None:
    prompts = Prompts(seed=1)
    assert len({prompts.words(4)[:6] for _ in range(50)}) == 50
    prompts.learn(64, 138, 16, 42)  # two tokens for a word, ten besides
    assert len(prompts.tokens(110).split()) == 7 + 50
    prompts.learn(64, 0, 16, 0)  # a server that does not count
    assert len(prompts.tokens(110).split()) == 7 + 50


def test_prompts_of_any_seed_turn_out_about_as_long_as_they_are_meant_to() -> None:
    def tokens(prompt: str) -> int:
        return len(prompt) // 3

    for seed in range(200):
        prompts = Prompts(seed)
        short, long = WARM_UP_WORDS
        prompts.learn(long, tokens(prompts.words(long)), short, tokens(prompts.words(short)))
        assert tokens(prompts.tokens(128)) == pytest.approx(128, abs=8)
