"""Measurements of a model's speed. Speeds are tokens per second, times milliseconds, memory bytes.

A run is measured case by case; a case is a length of prompt and a number of streams that ask at the same time.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class BenchPlace(StrEnum):
    """Where the model is: what is not on this machine is measured end to end, network and waiting included."""

    LOCAL = "local"
    REMOTE = "remote"
    FALLBACK = "fallback"


class BenchEnd(StrEnum):
    """How a run stands, or has ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    STOPPED = "stopped"
    FAILED = "failed"


class BenchCase(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured at once. `prompt` is the length that was aimed at, in tokens."""

    prompt: int
    streams: int


class BenchScope(msgspec.Struct, frozen=True, kw_only=True):
    """How much is measured: lengths of prompts for one stream, numbers of streams with the shortest of them.

    `generated` are the tokens of each answer, `repetitions` the rounds of each case.
    """

    prompts: tuple[int, ...]
    streams: tuple[int, ...]
    repetitions: int
    generated: int


class BenchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. Times are seconds since its round began; the engine's own clock is None where it tells none."""

    prompt_tokens: int
    generated_tokens: int
    first_token_s: float
    end_s: float
    prompt_speed: float | None = None
    generation_speed: float | None = None


class BenchResult(msgspec.Struct, frozen=True, kw_only=True):
    """The medians of a case. `prompt_speed` and `generation_speed` are those of one stream, `total_speed` of all.

    `spread` is how far the rounds lie apart in their generation, as a share of the median.
    """

    case: BenchCase
    prompt_tokens: int
    prompt_speed: float
    generation_speed: float
    total_speed: float
    first_token_ms: float
    spread: float
    rounds: int


class BenchHardware(msgspec.Struct, frozen=True, kw_only=True):
    """The machine that was measured. `cores` are physical, `threads` what the system counts."""

    cpu: str
    cores: int | None = None
    threads: int | None = None
    memory: int | None = None
    gpus: tuple[str, ...] = ()


class BenchEngine(msgspec.Struct, frozen=True, kw_only=True):
    """The engine that was measured: where it was found, which build, and its arguments as they were in effect."""

    kind: str
    variant: str
    build: str = ""
    arguments: str = ""
    context: int | None = None
    slots: int | None = None


class BenchRun(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `id` is 0 before it is kept; `engine` is None for what is not on this machine.

    `file` and `file_size` tell whether two runs measured the same model. `planned` cases were to be measured; those
    that do not fit into the context are not among them. `note` says in a sentence why a run ended before its time.
    """

    id: int
    model: str
    place: BenchPlace
    started_at: float
    end: BenchEnd
    quick: bool
    hardware: BenchHardware
    version: str
    planned: int
    results: tuple[BenchResult, ...] = ()
    engine: BenchEngine | None = None
    file: str = ""
    file_size: int = 0
    note: str = ""


class BenchChange(msgspec.Struct, frozen=True, kw_only=True):
    """One case against the same case of another run, in percent of that."""

    case: BenchCase
    prompt_speed: float
    generation_speed: float
    total_speed: float


class BenchDifference(StrEnum):
    """What of two runs is not the same, so that their speeds may differ for that reason."""

    FILE = "file"
    HARDWARE = "hardware"
    ENGINE = "engine"
    ARGUMENTS = "arguments"
    PLACE = "place"


class BenchComparison(msgspec.Struct, frozen=True, kw_only=True):
    """A run against an earlier one."""

    id: int
    started_at: float
    differences: tuple[BenchDifference, ...]
    changes: tuple[BenchChange, ...]


class BenchProgress(msgspec.Struct, frozen=True, kw_only=True):
    """What a run does now. `case` is None while the model is loaded and warmed up; rounds count from 1."""

    model: str
    done: int
    planned: int
    case: BenchCase | None = None
    round: int = 0
    rounds: int = 0


class BenchReport(msgspec.Struct, frozen=True, kw_only=True):
    """A run, and how it compares to an earlier one of the same model, where there is one with a case in common."""

    run: BenchRun
    comparison: BenchComparison | None = None


class BenchFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever follows a run is told: what it does now, the run so far, and at the end what came of it.

    `error` is a sentence about what ended a run before its time; the report holds what was measured until then.
    """

    progress: BenchProgress | None = None
    run: BenchRun | None = None
    report: BenchReport | None = None
    error: str = ""
