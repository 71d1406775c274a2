"""Benches as lines of text: a run, its comparison, a list of runs. Pure, but for the words and the time zone."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.plain_text import one_line
from llamero.models.bench import BenchComparison, BenchEngine, BenchHardware, BenchReport, BenchResult, BenchRun

_COLUMNS = ("prompt", "streams", "read", "written", "all", "first")
_WIDTHS = (9, 9, 12, 12, 13, 13)
_GIB = 1024**3


def subject_lines(run: BenchRun) -> list[str]:
    """What is measured, on what."""
    engine = engine_text(run.engine) if run.engine is not None else default_messages().text("bench-remote")
    return [f"{one_line(run.model)}: {engine}", hardware_text(run.hardware)]


def engine_text(engine: BenchEngine) -> str:
    """The engine in one line."""
    name = " ".join(part for part in (engine.kind, engine.variant, engine.build) if part)
    return one_line(f"{name}, {engine.arguments or default_messages().text('bench-no-arguments')}", 300)


def hardware_text(hardware: BenchHardware) -> str:
    """The machine in one line."""
    cores = hardware.cores or hardware.threads
    parts = [hardware.cpu]
    if cores is not None:
        parts.append(default_messages().text("bench-cores", {"cores": cores}))
    if hardware.memory is not None:
        parts.append(f"{hardware.memory / _GIB:.1f} GB")
    parts += hardware.gpus or [default_messages().text("bench-no-gpu")]
    return one_line(", ".join(parts), 300)


def heading() -> str:
    """The names of the columns of `result_line`."""
    return _line([default_messages().text(f"bench-column-{column}") for column in _COLUMNS])


def result_line(result: BenchResult) -> str:
    """One case."""
    return _line(
        [
            str(result.prompt_tokens),
            str(result.case.streams),
            speed(result.prompt_speed),
            speed(result.generation_speed),
            f"{speed(result.total_speed)} ±{50 * result.spread:.0f}%",
            f"{result.first_token_ms:.0f} ms",
        ]
    )


def compared(report: BenchReport) -> list[str]:
    """How a run compares to the earlier one; nothing where there is none."""
    found = report.comparison
    if found is None:
        return []
    sentence = default_messages().text("bench-compared", {"when": when(found.started_at), "differences": _same(found)})
    lines = ["", sentence]
    for change in found.changes:
        percents = (change.prompt_speed, change.generation_speed, change.total_speed)
        lines.append(_line([str(change.case.prompt), str(change.case.streams), *map(percent, percents), ""]))
    return lines


def listing(runs: Sequence[BenchRun]) -> Iterable[str]:
    """Every run in a line."""
    names = ("number", "when", "model", "engine", "read", "written")
    rows = [[default_messages().text(f"bench-column-{name}") for name in names], *map(_row, runs)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def speed(value: float) -> str:
    """A speed with three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def percent(value: float) -> str:
    """A change with its sign."""
    return f"{value:+.1f} %"


def when(at: float) -> str:
    """A time as people here write it."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))


def _row(run: BenchRun) -> list[str]:
    first = run.results[0] if run.results else None
    return [
        str(run.id),
        when(run.started_at),
        one_line(run.model, 40),
        one_line(f"{run.engine.kind} {run.engine.build}".strip(), 40) if run.engine is not None else run.place.value,
        speed(first.prompt_speed) if first is not None else "-",
        speed(first.generation_speed) if first is not None else "-",
    ]


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _same(found: BenchComparison) -> str:
    if not found.differences:
        return default_messages().text("bench-same")
    named = [default_messages().text(f"bench-difference-{one.value}") for one in found.differences]
    return default_messages().text("bench-differs", {"what": ", ".join(named)})
