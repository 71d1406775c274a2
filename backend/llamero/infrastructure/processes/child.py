"""One child process: its exit, its output, its stop.

Invariants:
* However the child ends, its whole tree is ended right after it, asked for or not: helpers are of no use without it.
* Where the system allows, the child stays a zombie until its tree is gone. Its process id and its session cannot be
  reused as long, so nothing of ours is ever confused with somebody else's.
* `stop` may be called at any time, by many callers at once and after the end. The child is asked once; the shortest
  grace counts; a caller that is cancelled does not call the stop off.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from llamero.infrastructure.processes import table
from llamero.infrastructure.processes.output import LineJudge, OutputRing, PlainLines
from llamero.infrastructure.processes.reader import PipeReader
from llamero.infrastructure.processes.table import Key
from llamero.infrastructure.processes.tree import KILL, Outcome, ProcessTree
from llamero.models.processes import StopReport

logger = logging.getLogger(__name__)

DESTROY_TIMEOUT_S = 10.0  # beyond that a process is stuck in the kernel and SIGKILL has to wait, too
UNKNOWN_STATUS = 255  # somebody else reaped the child


class Job(Protocol):
    """The kernel's own grip on the whole tree, where there is one."""

    def terminate(self) -> None:
        """End everything in it."""

    def close(self) -> None:
        """Let go."""


class ChildProcess:
    """A running or ended child. Made by `ProcessSpawner.spawn`.

    `run_job` runs a function on the spawner's thread. `on_gone` is called when the tree is gone, on a thread of the
    child's, before its process id is given back.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        key: Key,
        mark: str,
        name: str,
        *,
        run_job: Callable[[Callable[[], None]], None],
        on_gone: Callable[[ChildProcess], None],
        on_line: Callable[[str], None] | None = None,
        judge: LineJudge | None = None,
        job: Job | None = None,
    ) -> None:
        self.key, self.mark, self.name = key, mark, name
        self.output = OutputRing()
        self._process, self._job = process, job
        self._run_job, self._on_gone = run_job, on_gone
        self._tree = ProcessTree([key], mark)
        self._tree_lock = threading.Lock()
        self._stdin_lock = threading.Lock()
        self._exit: Future[int] = Future()
        self._gone: Future[StopReport] = Future()
        for future in (self._exit, self._gone):
            future.set_running_or_notify_cancel()  # a waiter that is cancelled must not cancel it for the others
        self._killed: set[Key] = set()
        self._forced = False
        self._asked = False
        self._deadline: asyncio.TimerHandle | None = None
        assert process.stdout is not None  # noqa: S101 - the spawner asks for a pipe
        # The file object is given up for its descriptor: the reader closes it when it is sure that nobody reads.
        self._reader = PipeReader(os.dup(process.stdout.fileno()), self.output, name, on_line, judge or PlainLines())
        process.stdout.close()

    def begin(self) -> None:
        """Begin to wait for the end. Called once, when everyone who must know of the child knows it."""
        threading.Thread(target=self._watch, name=f"llamero-wait-{self.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id. It stays the child's own until `stop` or `reap_tree` returns."""
        return self.key.pid

    @property
    def returncode(self) -> int | None:
        """The exit status as in `subprocess` (negative: the signal's number), None while the child runs."""
        return self._exit.result() if self._exit.done() else None

    def give_word(self) -> None:
        """Let a child go on that was spawned to wait for a word on its stdin. One that has ended does not hear it."""
        self._close_stdin(b"\n")

    async def wait(self) -> int:
        """Wait for the child's own exit; what it wrote is in `output` then. Its descendants may still be ending."""
        return await asyncio.wrap_future(self._exit)

    async def reap_tree(self) -> StopReport:
        """Wait until the child has ended and nothing of its tree is left."""
        return await asyncio.wrap_future(self._gone)

    async def stop(self, grace_s: float = 5.0) -> StopReport:
        """Ask the child to end, kill it after `grace_s` seconds, and wait until nothing of its tree is left.

        Returns within `grace_s` and a fraction of a second, unless the kernel holds a process: those are reported as
        `survivors` after 10 s more, and ended as soon as the kernel lets go.
        """
        if not self._gone.done():
            if not self._asked:
                self._asked = True
                self._run_job(self._ask)
            self._set_deadline(max(0.0, grace_s))
        try:
            async with asyncio.timeout(grace_s + DESTROY_TIMEOUT_S):
                report = await self.reap_tree()
        except TimeoutError:
            logger.error("process %d does not end even when killed", self.pid)
            return StopReport(exit_status=self.returncode, forced=True, survivors=(self.pid,))
        if self._deadline is not None:
            self._deadline.cancel()
        return report

    def kill(self) -> None:
        """Kill the whole tree now. Returns at once; `reap_tree` waits for the end."""
        if not self._exit.done():
            self._forced = True
            self._run_job(self._kill_all)

    def _set_deadline(self, grace_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + grace_s
        if self._deadline is None or self._deadline.cancelled() or due < self._deadline.when():
            if self._deadline is not None:
                self._deadline.cancel()
            self._deadline = loop.call_at(due, self.kill)

    def _ask(self) -> None:
        if sys.platform == "win32":
            self.kill()  # no request reaches a process without a console, and an engine has nothing to save
            return
        # Descendants are remembered while their descent can still be seen; where there are none, the request is first.
        with self._tree_lock:
            if table.has_children(self.pid) is not False:
                self._tree.alive()
            table.send_signal(self.key, signal.SIGTERM)
            table.send_signal(self.key, signal.SIGCONT)  # one that is stopped could not hear the request
            self._tree.alive()  # while it ends, so that looking for what is left of it is quick

    def _kill_all(self) -> None:
        if self._job is not None:
            self._job.terminate()
        with self._tree_lock:
            self._killed |= self._tree.signal_all(KILL)

    def _watch(self) -> None:
        """The life of the waiter thread: exit, tree, pipe, report. It must reach its end whatever fails on the way."""
        status = self._wait_for_exit()
        try:
            self._reader.catch_up(1.0)
        finally:
            self._exit.set_result(status)
        outcome = Outcome(frozenset(), frozenset())
        try:
            outcome = self._end_tree()
            self._reader.finish(0.25)
            self._on_gone(self)
        except Exception:
            logger.exception("ending the tree of process %d failed", self.pid)
        self._close_stdin()
        self._process.wait()  # not earlier: until here nobody else can get the process id
        report = StopReport(
            exit_status=status,
            forced=self._forced,
            descendants=len((self._killed | outcome.killed) - {self.key}),
            survivors=tuple(sorted(key.pid for key in outcome.survivors)),
        )
        if report.survivors:
            logger.error("processes of engine %s do not end even when killed: %s", self.name, report.survivors)
        self._gone.set_result(report)

    def _close_stdin(self, last_word: bytes = b"") -> None:
        stdin = self._process.stdin
        with self._stdin_lock:  # the loop's thread and the waiter's must not meet in a descriptor that is given back
            if stdin is not None and not stdin.closed:
                with contextlib.suppress(OSError), stdin:
                    stdin.write(last_word)

    def _end_tree(self) -> Outcome:
        if self._job is not None:
            self._job.terminate()
            self._job.close()
        with self._tree_lock:
            return self._tree.destroy(DESTROY_TIMEOUT_S)

    def _wait_for_exit(self) -> int:
        if sys.platform == "win32" or not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.wait()
        try:
            info = os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return UNKNOWN_STATUS
        if info is None:
            return UNKNOWN_STATUS
        return int(info.si_status if info.si_code == os.CLD_EXITED else -info.si_status)
