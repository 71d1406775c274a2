"""Starts children, so that none of them outlives the app.

Children are started on one thread that lives as long as the spawner: the parent-death signal of Linux fires when the
*thread* that started the child ends. The same thread does what else takes a few milliseconds and must not hold up the
event loop. Before the first child there are neither a guardian nor a file on disk.
"""

from __future__ import annotations

import asyncio
import errno
import itertools
import logging
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from llamero.infrastructure.processes import environment, table
from llamero.infrastructure.processes.child import ChildProcess
from llamero.infrastructure.processes.console import NO_CONSOLE_WINDOW
from llamero.infrastructure.processes.guard import Guard
from llamero.infrastructure.processes.output import LineJudge
from llamero.infrastructure.processes.records import ChildRecord, Records
from llamero.infrastructure.processes.sweep import sweep
from llamero.infrastructure.processes.table import Key
from llamero.models.processes import StopReport, SweepReport

if sys.platform == "win32":
    from llamero.infrastructure.processes.job_object import CREATE_SUSPENDED, JobObject

logger = logging.getLogger(__name__)

OnLine = Callable[[str], None]


class ProcessSpawner:
    """One per app. `directory` is where running children are written down for the next start; None for nowhere."""

    def __init__(self, directory: Path | None = None) -> None:
        self.run = secrets.token_hex(16)
        self._directory = directory
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="llamero-spawner")
        self._numbers = itertools.count(1)
        self._children: dict[int, ChildProcess] = {}
        self._guard = Guard(self.run)
        own = table.lookup(os.getpid())
        self._records = Records(directory, self.run, own.key if own else Key(os.getpid(), 0))
        self._swept: Future[SweepReport] | None = None
        self._prefix: list[str] | None = None
        self._closing = False
        self._closed: asyncio.Future[None] | None = None

    @property
    def children(self) -> tuple[ChildProcess, ...]:
        """The children whose tree is not gone yet."""
        return tuple(self._children.values())

    @property
    def guardian_pid(self) -> int | None:
        """The guardian's process id; None before the first child."""
        return self._guard.pid

    def start(self) -> None:
        """Begin to end what an earlier run left behind. Returns at once; the first `spawn` waits for it."""
        if self._swept is None:
            self._swept = self._worker.submit(self._prepare)

    def _prepare(self) -> SweepReport:
        report = sweep(self._directory) if self._directory else SweepReport()
        self._parent_death_prefix()
        return report

    async def swept(self) -> SweepReport:
        """What `start` found; waits until it is done."""
        return await asyncio.wrap_future(self._swept) if self._swept else SweepReport()

    async def spawn(
        self,
        command: Sequence[str],
        env: Mapping[str, str | None] | None = None,
        *,
        on_line: OnLine | None = None,
        judge: LineJudge | None = None,
        name: str = "engine",
        takes_word: bool = False,
    ) -> ChildProcess:
        """Start `command`. `env` changes the inherited environment; None as a value removes a variable.

        `judge` says which lines of output, at most 8 KB long, anybody is to see, and how much they matter; `on_line` is
        called with each of those, *on the thread that reads them*; it must be quick. `name` marks the child's lines in
        the log. `takes_word`: the child waits for `ChildProcess.give_word` on its stdin, which is empty otherwise.

        Raises FileNotFoundError, PermissionError or another OSError when the command cannot be started, RuntimeError
        once the spawner is closing. When the caller is cancelled meanwhile, the child is killed as soon as it exists.
        """
        if self._closing:
            raise RuntimeError("no child can be started any more: Llamero is ending")
        future = self._worker.submit(self._spawn, tuple(command), dict(env or {}), on_line, judge, name, takes_word)
        try:
            return await asyncio.shield(asyncio.wrap_future(future))
        except asyncio.CancelledError:
            future.add_done_callback(_kill_unwanted)
            raise

    async def close(self, grace_s: float = 5.0) -> None:
        """Stop every child and wait for all trees to be gone. May be called more than once, also at once."""
        if self._closed is None:
            self._closing = True
            self._closed = asyncio.ensure_future(self._close(grace_s))
        await asyncio.shield(self._closed)

    async def _close(self, grace_s: float) -> None:
        await asyncio.wrap_future(self._worker.submit(_nothing))  # what was being started is known after this
        reports: list[StopReport] = await asyncio.gather(*(child.stop(grace_s) for child in self.children))
        clean = not any(report.survivors for report in reports)
        await asyncio.wrap_future(self._worker.submit(self._guard.close, clean=clean))
        await asyncio.wrap_future(self._worker.submit(self._records.close))
        self._worker.shutdown(wait=False)

    def _run_job(self, job: Callable[[], None]) -> None:
        try:
            self._worker.submit(job)
        except RuntimeError:  # closed: there is no event loop left to hold up
            job()

    def _spawn(
        self,
        command: Sequence[str],
        env: dict[str, str | None],
        on_line: OnLine | None,
        judge: LineJudge | None,
        name: str,
        takes_word: bool,
    ) -> ChildProcess:
        number = next(self._numbers)
        mark = f"{self.run}:{number}"
        variables = environment.for_child(mark, env)
        program = find_program(command[0], variables.get("PATH"))
        if number == 1:
            self._records.open()
        self._guard.ensure()
        prefix = self._parent_death_prefix() if is_ordinary_program(program) else []
        child = self._start([*prefix, program, *command[1:]], variables, mark, name, on_line, judge, takes_word)
        self._children[child.pid] = child
        self._guard.add(child.key)
        self._records.add(ChildRecord(child.pid, child.key.started, mark, program))
        child.begin()
        return child

    def _parent_death_prefix(self) -> list[str]:
        if self._prefix is None:
            self._prefix = parent_death_prefix()
        return self._prefix

    def _start(
        self,
        argv: list[str],
        variables: dict[str, str],
        mark: str,
        name: str,
        on_line: OnLine | None,
        judge: LineJudge | None,
        takes_word: bool,
    ) -> ChildProcess:
        job_object = None
        flags = NO_CONSOLE_WINDOW
        if sys.platform == "win32":
            job_object = JobObject()
            flags |= subprocess.CREATE_NEW_PROCESS_GROUP | CREATE_SUSPENDED
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE if takes_word else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            bufsize=0,
            start_new_session=True,
            creationflags=flags,
        )
        try:
            if job_object is not None:
                job_object.adopt(process.pid)
            entry = table.lookup(process.pid)
            key = entry.key if entry else Key(process.pid, 0)
            return ChildProcess(
                process,
                key,
                mark,
                name,
                run_job=self._run_job,
                on_gone=self._forget,
                on_line=on_line,
                judge=judge,
                job=job_object,
            )
        except BaseException:
            process.kill()
            process.wait()
            if job_object is not None:
                job_object.close()
            raise

    def _forget(self, child: ChildProcess) -> None:
        self._children.pop(child.pid, None)
        self._guard.remove(child.pid)
        self._records.remove(child.pid)


def find_program(name: str, search_path: str | None) -> str:
    """Resolve a command as exec would, with the same errors: under a prefix, exec's own errors would be lost."""
    if os.path.dirname(name):  # noqa: PTH120 - "./name" and "name" differ, which pathlib forgets
        path = Path(name)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        if path.is_dir() or not os.access(path, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
        return name
    found = shutil.which(name, path=search_path)
    if found is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    return found


def is_ordinary_program(path: str) -> bool:
    """Whether exec surely takes the file: a binary or a script that names its interpreter.

    Anything else is started without a prefix: exec's refusal is an error then, not a shell that reads gibberish.
    """
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(4).startswith((b"\x7fELF", b"#!"))
    except OSError:
        return False  # may be run, but not read


def parent_death_prefix() -> list[str]:
    """The argv prefix that has Linux kill the child when the app dies; empty where that is not to be had."""
    program = shutil.which("setpriv") if sys.platform == "linux" else None
    if program is None:
        return []
    prefix = [program, "--pdeathsig", "KILL", "--"]
    try:
        probe = subprocess.run([*prefix, program, "--version"], capture_output=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return prefix if probe.returncode == 0 else []  # a smaller setpriv may not know the option


def _kill_unwanted(future: Future[ChildProcess]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().kill()


def _nothing() -> None:
    """A job that only has its turn."""
