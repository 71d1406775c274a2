"""The arithmetic of a bench: which cases there are, what their rounds come to, how two runs compare. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llamero.models.bench import (
    BenchAnswer,
    BenchCase,
    BenchChange,
    BenchComparison,
    BenchDifference,
    BenchResult,
    BenchRun,
    BenchScope,
)

FULL = BenchScope(prompts=(128, 512, 2048, 4096), streams=(1, 2, 4, 8), repetitions=3, generated=64)
QUICK = BenchScope(prompts=(128, 512), streams=(1, 4), repetitions=2, generated=32)
# What the template of a conversation adds to a prompt, and how far a prompt may miss its length.
ROOM = 64


def cases_of(scope: BenchScope, context: int | None) -> tuple[BenchCase, ...]:
    """Every length with one stream, then every number of streams with the shortest; those that fit, each once.

    `context` is what all streams share, None where it is not known.
    """
    alone = [BenchCase(prompt=prompt, streams=1) for prompt in scope.prompts]
    together = [BenchCase(prompt=min(scope.prompts), streams=streams) for streams in scope.streams]
    fits = [
        case
        for case in dict.fromkeys([*alone, *together])
        if context is None or case.streams * (case.prompt + scope.generated + ROOM) <= context
    ]
    return tuple(fits)


def result_of(case: BenchCase, rounds: Sequence[Sequence[BenchAnswer]]) -> BenchResult:
    """The medians of a case. Raises ValueError without a round that has an answer."""
    from statistics import median  # no part of a start: few starts measure anything

    answers = [answer for answers in rounds for answer in answers]
    if not answers:
        raise ValueError("nothing was measured")
    totals = [_total_speed(answers) for answers in rounds if answers]
    typical = median(totals)
    return BenchResult(
        case=case,
        prompt_tokens=round(median(answer.prompt_tokens for answer in answers)),
        prompt_speed=median(_prompt_speed(answer) for answer in answers),
        generation_speed=median(_generation_speed(answer) for answer in answers),
        total_speed=typical,
        first_token_ms=1000 * median(answer.first_token_s for answer in answers),
        spread=(max(totals) - min(totals)) / typical if typical > 0 else 0.0,
        rounds=len(totals),
    )


def _prompt_speed(answer: BenchAnswer) -> float:
    """By the engine's clock, else from the request to the first token, network and waiting included."""
    if answer.prompt_speed is not None:
        return answer.prompt_speed
    return answer.prompt_tokens / answer.first_token_s if answer.first_token_s > 0 else 0.0


def _generation_speed(answer: BenchAnswer) -> float:
    """By the engine's clock, else of the tokens behind the first one."""
    if answer.generation_speed is not None:
        return answer.generation_speed
    seconds = answer.end_s - answer.first_token_s
    return (answer.generated_tokens - 1) / seconds if seconds > 0 and answer.generated_tokens > 1 else 0.0


def _total_speed(answers: Iterable[BenchAnswer]) -> float:
    """What a round generated, from the moment at which any stream began to write to the end of the last."""
    answers = list(answers)
    seconds = max(answer.end_s for answer in answers) - min(_writing_since(answer) for answer in answers)
    return sum(answer.generated_tokens for answer in answers) / seconds if seconds > 0 else 0.0


def _writing_since(answer: BenchAnswer) -> float:
    """When it began to write. Tokens that come at once on a fast machine show only in the engine's clock."""
    if not answer.generation_speed:
        return answer.first_token_s
    return min(answer.first_token_s, answer.end_s - answer.generated_tokens / answer.generation_speed)


def comparison(run: BenchRun, earlier: Iterable[BenchRun]) -> BenchComparison | None:
    """The run against the newest earlier one of its model that shares a case; one without differences goes first."""
    candidates = [compared(run, other) for other in earlier if other.id != run.id and other.model == run.model]
    candidates = [found for found in candidates if found.changes and found.started_at < run.started_at]
    return max(candidates, key=lambda found: (not found.differences, found.started_at), default=None)


def compared(run: BenchRun, other: BenchRun) -> BenchComparison:
    """The run against that one, in the cases that both have."""
    before = {result.case: result for result in other.results}
    changes = [_change(result, before[result.case]) for result in run.results if result.case in before]
    return BenchComparison(
        id=other.id, started_at=other.started_at, differences=differences(run, other), changes=tuple(changes)
    )


def _change(now: BenchResult, before: BenchResult) -> BenchChange:
    return BenchChange(
        case=now.case,
        prompt_speed=_percent(now.prompt_speed, before.prompt_speed),
        generation_speed=_percent(now.generation_speed, before.generation_speed),
        total_speed=_percent(now.total_speed, before.total_speed),
    )


def _percent(now: float, before: float) -> float:
    return 100 * (now / before - 1) if before > 0 else 0.0


def differences(run: BenchRun, other: BenchRun) -> tuple[BenchDifference, ...]:
    """What is not the same. A path is where a file lies and not what it is; its size tells."""
    found = []
    if (run.file, run.file_size) != (other.file, other.file_size):
        found.append(BenchDifference.FILE)
    if run.hardware != other.hardware:
        found.append(BenchDifference.HARDWARE)
    if _build(run) != _build(other):
        found.append(BenchDifference.ENGINE)
    if (run.engine and run.engine.arguments) != (other.engine and other.engine.arguments):
        found.append(BenchDifference.ARGUMENTS)
    if run.place != other.place:
        found.append(BenchDifference.PLACE)
    return tuple(found)


def _build(run: BenchRun) -> tuple[str, str, str] | None:
    return None if run.engine is None else (run.engine.kind, run.engine.variant, run.engine.build)
