"""One run from its first word to its last: load, warm up, measure case by case.

Invariants: the run is given out anew after every case, with all that was measured until then; a case whose rounds were
not all measured is not in it; a prompt that turns out to be too long ends nothing, its case is left out.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from msgspec.structs import replace

from llamero import __version__
from llamero.infrastructure.clock import Clock
from llamero.models.bench import (
    BenchAnswer,
    BenchEnd,
    BenchPlace,
    BenchProgress,
    BenchResult,
    BenchRun,
    BenchScope,
)
from llamero.models.errors import ContextFull, InvalidRequest
from llamero.services.bench.asking import Asker, Inference
from llamero.services.bench.figures import FULL, QUICK, cases_of, result_of
from llamero.services.bench.prompts import WORDS, Prompts
from llamero.services.bench.subject import Subjects

WARM_UP_WORDS = (len(WORDS), 3 * len(WORDS))  # each word equally often
WARM_UP_TOKENS = 8

Tell = Callable[[BenchProgress], None]


class Measuring:
    """Measures one model once."""

    def __init__(
        self,
        inference: Inference,
        subjects: Subjects,
        clock: Clock,
        *,
        prompts: Prompts | None = None,
        full: BenchScope = FULL,
        quick: BenchScope = QUICK,
    ) -> None:
        self._inference = inference
        self._subjects = subjects
        self._clock = clock
        self._prompts = prompts or Prompts()
        self._scopes = {True: quick, False: full}

    async def run(self, model: str, *, quick: bool, tell: Tell) -> AsyncGenerator[BenchRun, None]:
        """Yield the run when it begins, after every case, and when it is complete.

        Raises what stands in the way: ModelNotFound, InvalidRequest, what ends a start, UpstreamFailed.
        """
        scope = self._scopes[quick]
        tell(BenchProgress(model=model, done=0, planned=len(cases_of(scope, None))))
        subject = await self._subjects.find(model)
        asker = Asker(self._inference, self._clock, model, local=subject.place is BenchPlace.LOCAL)
        await self._warm_up(asker)
        subject = await self._subjects.loaded(subject)
        cases = cases_of(scope, subject.context)
        run = BenchRun(
            id=0,
            model=model,
            place=subject.place,
            started_at=self._clock.time(),
            end=BenchEnd.RUNNING,
            quick=quick,
            hardware=subject.hardware,
            version=__version__,
            planned=len(cases),
            engine=subject.engine,
            file=subject.file,
            file_size=subject.file_size,
        )
        yield run
        for number, case in enumerate(cases):
            progress = BenchProgress(model=model, done=number, planned=len(cases), case=case, rounds=scope.repetitions)
            result = await self._case(asker, scope, progress, tell)
            if result is not None:
                run = replace(run, results=(*run.results, result))
                yield run
        if not run.results:
            raise InvalidRequest("bench_error-no_room", model=model)
        yield replace(run, end=BenchEnd.COMPLETE, planned=len(run.results))

    async def _warm_up(self, asker: Asker) -> None:
        """Load the model, let everything be allocated that will be, and learn how long its words are."""
        short, long = WARM_UP_WORDS
        before, *_ = await asker.round([self._prompts.words(short)], WARM_UP_TOKENS)
        after, *_ = await asker.round([self._prompts.words(long)], WARM_UP_TOKENS)
        self._prompts.learn(long, after.prompt_tokens, short, before.prompt_tokens)

    async def _case(self, asker: Asker, scope: BenchScope, progress: BenchProgress, tell: Tell) -> BenchResult | None:
        """Measure the case that is under way; None where it does not fit."""
        case = progress.case
        if case is None:
            return None
        rounds: list[list[BenchAnswer]] = []
        try:
            for number in range(1, scope.repetitions + 1):
                tell(replace(progress, round=number))
                prompts = [self._prompts.tokens(case.prompt) for _ in range(case.streams)]
                rounds.append(await asker.round(prompts, scope.generated))
        except ContextFull:
            return None
        return result_of(case, rounds)
