"""`llamero bench [ALIAS…]`: how fast models are, compared to how fast they were.

It works beside a running Llamero, with an engine of its own. stdout gets the figures and nothing else, a line for each
case as soon as it is measured; what happens meanwhile goes to stderr. Ctrl+C keeps what was measured.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence

import msgspec

from llamero.application import Application, running
from llamero.commands.background import Background
from llamero.commands.bench_tables import compared, heading, listing, result_line, subject_lines
from llamero.commands.options import Ground, Options, prepare
from llamero.commands.report import FAILED, INTERRUPTED, say
from llamero.commands.signals import leave_when_terminated
from llamero.commands.terminal import Terminal
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.benches import BenchStore
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import AliasKind
from llamero.models.bench import BenchFrame, BenchProgress, BenchReport, BenchRun
from llamero.models.errors import InternalError, InvalidRequest, NotFound
from llamero.services.bench.service import BenchService


def bench(options: Options) -> int:
    """Measure, or show what was measured. Raises LlameroError."""
    ground = prepare(options, {}, console_level="error")
    if options.list:
        return asyncio.run(_list(ground, options))
    leave_when_terminated()
    with Background(lambda: running(ground.paths, ground.resolved, exclusive=False)) as background:
        models = options.aliases or [background.call(_only_model(background.app))]
        shown = _Shown(background, as_json=options.json)
        status = 0
        try:
            for model in models:
                status = shown.measure(model, quick=options.quick) or status
        except KeyboardInterrupt:
            status = INTERRUPTED
        if options.json:
            _write_json(shown.reports)
        return status


async def _list(ground: Ground, options: Options) -> int:
    database = await Database.open(ground.paths.database)
    try:
        runs = [run for run in await BenchStore(database).listed() if run.model in (options.aliases or [run.model])]
    finally:
        await database.close()
    if options.json:
        _write_json(runs)
    elif runs:
        sys.stdout.write("".join(f"{line}\n" for line in listing(runs)))
    else:
        say(f"llamero: {default_messages().text('bench-none')}")
    return 0


async def _only_model(app: Application) -> str:
    """The model that is meant where none is named: the only one, the demo aside. Raises InvalidRequest or NotFound."""
    listed = [
        model.id for model in await app.router.listed() if model.kind is not AliasKind.FALLBACK and not model.embedding
    ]
    names = [name for name in listed if name != "demo"] or listed
    if len(names) == 1:
        return names[0]
    if not names:
        raise NotFound("bench_error-no_model")
    raise InvalidRequest("bench_error-which_model", names=", ".join(names))


class _Queue:
    """A follower whose frames can be awaited."""

    def __init__(self) -> None:
        self._frames: asyncio.Queue[BenchFrame | None] = asyncio.Queue()

    def send(self, frame: BenchFrame) -> None:
        self._frames.put_nowait(frame)

    def end(self) -> None:
        self._frames.put_nowait(None)

    async def frames(self) -> AsyncIterator[BenchFrame]:
        while (frame := await self._frames.get()) is not None:
            yield frame


class _Shown:
    """Benches at the terminal, one after the other."""

    def __init__(self, background: Background[Application], *, as_json: bool) -> None:
        self.reports: list[BenchReport] = []
        self._background = background
        self._as_json = as_json
        self._terminal = Terminal()
        self._shown = 0

    def measure(self, model: str, *, quick: bool) -> int:
        """Measure one model and return the exit status. Raises KeyboardInterrupt once it is kept how far that came."""
        self._shown = 0
        progress: BenchProgress | None = None
        report: BenchReport | None = None
        try:
            for frame in self._background.stream(lambda: self._frames(model, quick)):
                progress, report = frame.progress or progress, frame.report or report
                self._show(frame)
        except KeyboardInterrupt:
            self._terminal.forget_note()
            self._background.call(self._service().stop())
            done, planned = (progress.done, progress.planned) if progress is not None else (0, 0)
            say(f"llamero: {default_messages().text('bench-stopped', {'done': done, 'planned': planned})}")
            raise
        if report is None:
            return FAILED
        self.reports.append(report)
        if not self._as_json:
            sys.stdout.write("".join(f"{line}\n" for line in compared(report)) + "\n")
            sys.stdout.flush()
        return FAILED if report.run.note else 0

    async def _frames(self, model: str, quick: bool) -> AsyncIterator[BenchFrame]:
        queue = _Queue()
        self._service().begin(model, quick=quick, follower=queue)
        async for frame in queue.frames():
            yield frame

    def _service(self) -> BenchService:
        service = self._background.app.bench
        if service is None:
            raise InternalError(reason="the database has not been opened")
        return service

    def _show(self, frame: BenchFrame) -> None:
        self._terminal.forget_note()
        if frame.error:
            say(f"llamero: {frame.error}")
        if frame.run is not None and not self._as_json:
            self._show_results(frame.run)
        if frame.progress is not None and frame.report is None:
            self._terminal.passing_note(_note(frame.progress))

    def _show_results(self, run: BenchRun) -> None:
        lines = [*subject_lines(run), "", heading()] if run.results and not self._shown else []
        lines += [result_line(result) for result in run.results[self._shown :]]
        self._shown = len(run.results)
        if lines:
            sys.stdout.write("".join(f"{line}\n" for line in lines))
            sys.stdout.flush()


def _note(progress: BenchProgress) -> str:
    if progress.case is None:
        return default_messages().text("bench-loading", {"model": progress.model})
    arguments = {
        "done": progress.done + 1,
        "planned": progress.planned,
        "tokens": progress.case.prompt,
        "streams": progress.case.streams,
        "round": progress.round,
        "rounds": progress.rounds,
    }
    return default_messages().text("bench-measuring", arguments)


def _write_json(document: Sequence[object]) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")
