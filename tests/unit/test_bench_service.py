"""Runs of benches: kept case by case, stopped, failed, followed; over a model that answers by a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.storage.benches import BenchStore
from llamero.infrastructure.storage.database import Database
from llamero.models.bench import BenchEnd, BenchFrame, BenchHardware, BenchPlace, BenchReport, BenchRun, BenchScope
from llamero.models.errors import Conflict, ContextFull, LlameroError, ModelNotFound, NotFound, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.services.bench.measuring import Measuring
from llamero.services.bench.service import BenchService
from llamero.services.bench.subject import Subject
from tests.fakes.replies import Script, ScriptedReply, event, said

SCOPE = BenchScope(prompts=(64, 256), streams=(1, 2), repetitions=2, generated=8)
WARM_UPS = 2


class Model:
    """Answers every request alike; `does` may wait or raise for the request of that number."""

    def __init__(self, does: Callable[[int, InferenceRequest], object] = lambda number, request: None) -> None:
        self.asked: list[InferenceRequest] = []
        self.open = 0
        self.most_open = 0
        self._does = does

    @asynccontextmanager
    async def stream(self, request: InferenceRequest) -> AsyncIterator[ScriptedReply]:
        self.asked.append(request)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(0)  # so that streams of one round meet
            waits = self._does(len(self.asked), request)
            if isinstance(waits, asyncio.Event):
                await waits.wait()
            yield answering()
        finally:
            self.open -= 1


def answering() -> ScriptedReply:
    usage = {"prompt_tokens": 70, "completion_tokens": 8}
    timings = {"prompt_n": 70, "prompt_ms": 700, "predicted_n": 8, "predicted_ms": 400}
    return ScriptedReply(Script((said("a"), event({"choices": [], "usage": usage, "timings": timings}))))


class Here:
    """Says that every name but `nobody` is a model here."""

    async def find(self, model: str) -> Subject:
        if model == "nobody":
            raise ModelNotFound(model=model)
        return Subject(model=model, place=BenchPlace.LOCAL, hardware=BenchHardware(cpu="A"))

    async def loaded(self, subject: Subject) -> Subject:
        return subject


class Follower:
    def __init__(self) -> None:
        self.frames: list[BenchFrame] = []
        self.ended = asyncio.Event()

    def send(self, frame: BenchFrame) -> None:
        self.frames.append(frame)

    def end(self) -> None:
        self.ended.set()

    async def report(self) -> BenchReport | None:
        async with asyncio.timeout(10):
            await self.ended.wait()
        return self.frames[-1].report


class World:
    def __init__(self, database: Database, model: Model) -> None:
        self.model = model
        self.database = database
        self.store = BenchStore(database)
        self.follower = Follower()
        self.service = BenchService(self.measuring, self.store, sentence)

    def measuring(self) -> Measuring:
        return Measuring(self.model, Here(), SystemClock(), full=SCOPE, quick=SCOPE)  # type: ignore[arg-type]

    def begin(self, model: str = "m") -> None:
        self.service.begin(model, quick=False, follower=self.follower)


def sentence(error: LlameroError) -> str:
    return error.code


@asynccontextmanager
async def world(path: Path, model: Model | None = None) -> AsyncIterator[World]:
    database = await Database.open(path / "bench.db")
    try:
        yield World(database, model or Model())
    finally:
        await database.close()


async def test_bench_measures_every_case_in_rounds_and_keeps_it(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.begin()
        report = await here.follower.report()
        assert report is not None
        run = report.run
        assert (run.id, run.end, run.planned, report.comparison) == (1, BenchEnd.COMPLETE, 3, None)
        assert [(r.case.prompt, r.case.streams, r.rounds) for r in run.results] == [(64, 1, 2), (256, 1, 2), (64, 2, 2)]
        assert {(r.prompt_speed, r.generation_speed, r.prompt_tokens) for r in run.results} == {(100.0, 20.0, 70)}
        assert await here.store.listed() == (run,)
        assert here.model.most_open == 2
        assert len(here.model.asked) == WARM_UPS + 2 + 2 + 4


async def test_bench_asks_for_answers_of_one_length_that_no_cache_has(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.begin()
        await here.follower.report()
        bodies = [request.body for request in here.model.asked[WARM_UPS:]]
    assert {body["max_tokens"] for body in bodies} == {SCOPE.generated}
    assert {(body["ignore_eos"], body["cache_prompt"]) for body in bodies} == {(True, False)}
    assert len({str(body["messages"])[:60] for body in bodies}) == len(bodies)


async def test_bench_that_is_done_again_is_compared_with_the_first(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        for _ in range(2):
            here.follower = Follower()
            here.begin()
            report = await here.follower.report()
        assert report is not None
        assert report.comparison is not None
        assert (report.comparison.id, report.comparison.differences, len(report.comparison.changes)) == (1, (), 3)
        assert await here.service.report(report.run.id) == report
        against = await here.service.report(1, against=report.run.id)
        assert against.comparison is not None
        assert against.comparison.id == report.run.id


async def test_bench_that_is_stopped_keeps_what_it_has_and_leaves_nothing_open(tmp_path: Path) -> None:
    forever, reached = asyncio.Event(), asyncio.Event()

    def wait(number: int, request: InferenceRequest) -> asyncio.Event | None:
        if number <= WARM_UPS + 2:
            return None
        reached.set()
        return forever

    model = Model(wait)
    async with world(tmp_path, model) as here:
        here.begin()
        async with asyncio.timeout(10):
            await reached.wait()
        await asyncio.gather(here.service.stop(), here.service.stop())  # a page, and the app that closes
        report = await here.follower.report()
        assert report is not None
        assert (report.run.end, len(report.run.results), report.run.planned) == (BenchEnd.STOPPED, 1, 3)
        assert (model.open, here.service.now) == (0, None)
        assert (await here.store.listed())[0].end is BenchEnd.STOPPED


class LateStore:
    """A store that is slow to say that a run is kept."""

    def __init__(self, store: BenchStore) -> None:
        self._store = store
        self.saving = asyncio.Event()
        self.go = asyncio.Event()

    async def save(self, run: BenchRun) -> BenchRun:
        kept = await self._store.save(run)
        self.saving.set()
        await self.go.wait()
        return kept

    async def get(self, id: int) -> BenchRun:
        return await self._store.get(id)

    async def listed(self, model: str | None = None) -> tuple[BenchRun, ...]:
        return await self._store.listed(model)


async def test_bench_that_is_stopped_while_it_is_being_kept_is_kept_once(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        late = LateStore(here.store)
        here.service = BenchService(here.measuring, late, sentence)
        here.begin()
        async with asyncio.timeout(10):
            await late.saving.wait()
        stops = [asyncio.create_task(here.service.stop()) for _ in range(2)]
        await asyncio.sleep(0)
        late.go.set()
        await asyncio.gather(*stops)
        assert [(run.id, run.end) for run in await here.store.listed()] == [(1, BenchEnd.STOPPED)]


async def test_bench_that_fails_keeps_what_it_has_and_says_why(tmp_path: Path) -> None:
    def fail(number: int, request: InferenceRequest) -> None:
        if number > WARM_UPS + 2:
            raise UpstreamFailed(reason="gone")

    async with world(tmp_path, Model(fail)) as here:
        here.begin()
        report = await here.follower.report()
        assert report is not None
        assert (report.run.end, report.run.note, len(report.run.results)) == (BenchEnd.FAILED, UpstreamFailed.code, 1)
        assert here.follower.frames[-1].error == UpstreamFailed.code


async def test_bench_of_nothing_is_not_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as here:
        here.begin("nobody")
        assert await here.follower.report() is None
        assert here.follower.frames[-1].error == ModelNotFound.code
        assert await here.store.listed() == ()
        here.follower = Follower()
        here.begin("m")  # and the way is free
        assert await here.follower.report() is not None


async def test_bench_leaves_out_a_case_that_does_not_fit(tmp_path: Path) -> None:
    def refuse_long(number: int, request: InferenceRequest) -> None:
        if len(str(request.body["messages"]).split()) > 100:
            raise ContextFull(tokens=300, limit=128)

    async with world(tmp_path, Model(refuse_long)) as here:
        here.begin()
        report = await here.follower.report()
        assert report is not None
        assert [(r.case.prompt, r.case.streams) for r in report.run.results] == [(64, 1), (64, 2)]
        assert (report.run.end, report.run.planned) == (BenchEnd.COMPLETE, 2)


async def test_bench_of_a_context_that_is_too_short_for_every_case_says_so(tmp_path: Path) -> None:
    def refuse(number: int, request: InferenceRequest) -> None:
        if number > WARM_UPS:
            raise ContextFull(tokens=300, limit=64)

    async with world(tmp_path, Model(refuse)) as here:
        here.begin()
        assert await here.follower.report() is None
        assert here.follower.frames[-1].error == "bench_error-no_room"


async def test_bench_is_one_at_a_time_and_told_to_everybody(tmp_path: Path) -> None:
    go = asyncio.Event()
    async with world(tmp_path, Model(lambda number, request: go)) as here:
        frames: list[BenchFrame] = []
        here.service.on_frame = frames.append
        here.begin()
        with pytest.raises(Conflict):
            here.begin()
        assert here.service.now is not None
        go.set()
        report = await here.follower.report()
        assert here.service.now is None
        assert [frame.report for frame in frames if frame.report] == [report]


async def test_bench_of_an_answer_without_a_word_is_an_error(tmp_path: Path) -> None:
    class Silent(Model):
        @asynccontextmanager
        async def stream(self, request: InferenceRequest) -> AsyncIterator[ScriptedReply]:
            yield ScriptedReply(Script(()))

    async with world(tmp_path, Silent()) as here:
        here.begin()
        assert await here.follower.report() is None
        assert here.follower.frames[-1].error == "bench_error-said_nothing"


async def test_bench_store_forgets_the_oldest_and_passes_over_what_it_cannot_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llamero.infrastructure.storage.benches.MOST_RUNS", 2)
    async with world(tmp_path) as here:
        await here.database.write(
            lambda connection: connection.execute("INSERT INTO bench_runs (model, run) VALUES ('m', '{}')")
        )
        assert await here.store.listed() == ()
        for _ in range(3):
            here.follower = Follower()
            here.begin()
            await here.follower.report()
        assert [run.id for run in await here.store.listed()] == [4, 3]
        with pytest.raises(NotFound):
            await here.store.get(2)
