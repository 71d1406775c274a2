"""Benches of the fake: two runs that were, and one that goes on until the test lets it end."""

from __future__ import annotations

import time

from llamero.models.bench import (
    BenchCase,
    BenchEnd,
    BenchEngine,
    BenchFrame,
    BenchHardware,
    BenchPlace,
    BenchProgress,
    BenchReport,
    BenchResult,
    BenchRun,
)
from llamero.services.bench.figures import FULL, cases_of, compared, comparison

READING = {128: 412.0, 512: 633.0, 2048: 601.0, 4096: 544.0}
WRITING = {128: 41.2, 512: 40.1, 2048: 36.4, 4096: 31.7}
TOGETHER = {1: 41.2, 2: 71.5, 4: 118.0, 8: 121.0}
MACHINE = BenchHardware(
    cpu="AMD Ryzen 7 7840U with Radeon 780M Graphics", cores=8, threads=16, memory=32 * 1024**3,
    gpus=("NVIDIA RTX 4070, 12.0 GB",),
)  # fmt: skip
ENGINE = BenchEngine(
    kind="installed",
    variant="vulkan",
    build="11549",
    arguments="--ctx-size 8192 --n-gpu-layers 36 --flash-attn on",
    context=8192,
    slots=4,
)


def result(case: BenchCase, factor: float) -> BenchResult:
    alone = WRITING[case.prompt]
    return BenchResult(
        case=case,
        prompt_tokens=case.prompt - 3,
        prompt_speed=READING[case.prompt] * factor,
        generation_speed=(alone if case.streams == 1 else TOGETHER[case.streams] / case.streams) * factor,
        total_speed=(alone if case.streams == 1 else TOGETHER[case.streams]) * factor,
        first_token_ms=1000 * case.prompt / READING[case.prompt] * case.streams,
        spread=0.04,
        rounds=3,
    )


def run(id: int, model: str, ago_s: float, factor: float, engine: BenchEngine = ENGINE) -> BenchRun:
    cases = cases_of(FULL, 8192)
    return BenchRun(
        id=id,
        model=model,
        place=BenchPlace.LOCAL,
        started_at=time.time() - ago_s,
        end=BenchEnd.COMPLETE,
        quick=False,
        hardware=MACHINE,
        version="0.1.0",
        planned=len(cases),
        results=tuple([result(case, factor ** (1 - number / 4)) for number, case in enumerate(cases)]),
        engine=engine,
        file="qwen3.gguf",
        file_size=5,
    )


def former_runs(model: str) -> list[BenchRun]:
    """The newest first; the oldest had another engine."""
    older = BenchEngine(
        kind="embedded", variant="cpu", build="11434", arguments="--ctx-size 8192", context=8192, slots=4
    )
    return [run(3, model, 3_600, 1.0), run(2, model, 90_000, 0.94), run(1, model, 900_000, 0.61, older)]


class Benches:
    """What the page can ask."""

    def __init__(self, runs: list[BenchRun]) -> None:
        self.runs = runs
        self.now: BenchFrame | None = None

    def report(self, id: int, against: int | None) -> BenchReport:
        found = {one.id: one for one in self.runs}
        if against is not None:
            return BenchReport(run=found[id], comparison=compared(found[id], found[against]))
        return BenchReport(run=found[id], comparison=comparison(found[id], self.runs))

    def step(self, model: str, done: int) -> BenchFrame:
        """A run under way of which so many cases are measured."""
        whole = run(9, model, 1, 1.1)
        case = [one.case for one in whole.results][done]
        part = BenchRun(
            **{name: getattr(whole, name) for name in whole.__struct_fields__}
            | {"results": whole.results[:done], "end": BenchEnd.RUNNING}
        )
        progress = BenchProgress(model=model, done=done, planned=whole.planned, case=case, round=2, rounds=3)
        self.now = BenchFrame(progress=progress, run=part)
        return self.now

    def finish(self, model: str, *, error: str = "") -> BenchFrame:
        """Its end: all of it, or why not."""
        self.now = None
        if error:
            return BenchFrame(error=error)
        whole = run(9, model, 1, 1.1)
        self.runs.insert(0, whole)
        return BenchFrame(report=self.report(whole.id, None))
