"""One llama-server: spawn it, know when it is ready, talk to it, stop it, and say why it ended.

Invariants: it listens on loopback only and answers only to a random key that travels by environment; it is called
ready only when the process that we started answers on the port with that key; whichever way `start` or `stop` ends,
no process of it is left. A port that somebody else took in the meantime costs a second attempt, not an error.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.llama.args import argv
from llamero.infrastructure.llama.engine_lines import EngineLines
from llamero.infrastructure.llama.exit_reasons import engine_exit_sentence, explain_engine_exit
from llamero.infrastructure.llama.holding import HOLD_VARIABLE
from llamero.infrastructure.llama.http_reply import HttpReply
from llamero.infrastructure.llama.readiness import Announcement, Readiness
from llamero.infrastructure.llama.rpc_workers import check_workers
from llamero.infrastructure.llama.slots import limits_of
from llamero.infrastructure.llama.upstream import Upstream
from llamero.infrastructure.processes.child import ChildProcess
from llamero.infrastructure.processes.spawner import ProcessSpawner
from llamero.models.errors import (
    EngineFailed,
    EngineNotFound,
    HealthCheckFailed,
    Unavailable,
    UpstreamFailed,
)
from llamero.models.llama import EngineKind, Failure, LaunchSpec, OutputLines, ServerLimits

PORT_ATTEMPTS = 3
CRASHED = "server_error-engine_crashed"
TAIL_LINES = 40

Room = Callable[[], Awaitable[object]]


class _PortTaken(Exception):
    """Somebody else listens on the port that was chosen. `error`: what to say when it happens too often."""

    def __init__(self, error: EngineFailed | HealthCheckFailed) -> None:
        self.error = error


class LlamaServer:
    """One server process for one spec, from `start` to `stop`. Not to be started twice."""

    def __init__(
        self,
        spec: LaunchSpec,
        *,
        spawner: ProcessSpawner,
        clock: Clock,
        start_timeout_s: float = 300.0,
        stop_grace_s: float = 5.0,
        choose_port: Callable[[], int] | None = None,
    ) -> None:
        self.spec = spec
        self.port = 0
        self.limits = ServerLimits()
        self._spawner = spawner
        self._clock = clock
        self._start_timeout_s = start_timeout_s
        self._stop_grace_s = stop_grace_s
        self._choose_port = choose_port or _free_port
        self._lines = EngineLines(clock)
        self._key = secrets.token_urlsafe(32)
        self._child: ChildProcess | None = None
        self._upstream: Upstream | None = None
        self._stopping = False
        self._spawning = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process that was started last; 0 before."""
        return self._child.pid if self._child is not None else 0

    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        """The last lines it wrote, oldest first."""
        return self._child.output.tail(lines) if self._child is not None else ()

    def output_since(self, written: int) -> OutputLines:
        """The lines after the first `written`, as far as they are kept. Of the process that was started last."""
        return self._child.output.since(written) if self._child is not None else OutputLines(written=0, lines=())

    async def start(self, room: Room | None = None) -> None:
        """Spawn and wait until ready.

        `room` is awaited before the model may take memory. An engine that can be held is started at once all the same,
        so that the start of its process costs no time once there is room.

        Raises WorkerUnreachable before the spawn; EngineFailed (it ended; with exit status and last lines),
        StartTimedOut (no output and no progress for `start_timeout_s`) or HealthCheckFailed (something else answers
        on its port).
        """
        await check_workers(self.spec.arguments)
        if room is not None and not self._can_be_held:
            await room()
            room = None
        for attempt in range(PORT_ATTEMPTS):
            try:
                await self._start_once(room)
            except _PortTaken as taken:
                if attempt + 1 == PORT_ATTEMPTS:
                    raise taken.error from None
            else:
                return

    @property
    def _can_be_held(self) -> bool:
        """Can this engine wait before it loads? On Windows, where nobody has tried, none is made to."""
        return self.spec.engine.kind is EngineKind.EMBEDDED and sys.platform != "win32"

    async def _start_once(self, room: Room | None) -> None:
        self.port = self._choose_port()
        command = [
            *self.spec.engine.command,
            *argv(self.spec.model.alias, self.spec.model.path, self.port, self.spec.arguments),
        ]
        announcement = Announcement()
        async with self._spawning:
            if self._stopping:
                raise EngineFailed(reason="stopped before it was started")
            child = self._child = await self._spawn(command, announcement, held=room is not None)
        upstream = self._upstream = Upstream(self.port, self._key)
        readiness = Readiness(upstream, announcement, child.output, self._lines, self._clock)
        try:
            await self._unless_it_ends(child, self._get_ready(child, readiness, room))
        except BaseException:
            upstream.close()
            await child.stop(0.0)
            raise

    async def _spawn(self, command: list[str], announcement: Announcement, *, held: bool) -> ChildProcess:
        try:
            return await self._spawner.spawn(
                command,
                self._environment(held=held),
                on_line=announcement.notice,
                judge=self._lines,
                name=self.spec.model.alias,
                takes_word=held,
            )
        except FileNotFoundError:
            raise EngineNotFound(path=command[0]) from None
        except PermissionError:
            raise EngineNotFound("context_error-exec_not_executable", path=command[0]) from None
        except OSError as error:
            raise EngineFailed(reason=str(error)) from error
        except RuntimeError:
            raise Unavailable("server_error-shutting_down") from None

    def _environment(self, *, held: bool) -> dict[str, str | None]:
        """What Llamero manages besides the command line, which every program on the machine can read.

        The user's own LLAMA_ARG_* are left out: they would act on every model unseen, and a bad one ends the engine.
        """
        inherited: dict[str, str | None] = {name: None for name in os.environ if name.startswith("LLAMA_ARG_")}
        return inherited | {
            "LLAMA_API_KEY": self._key,
            "LLAMA_ARG_HOST": "127.0.0.1",
            "LLAMA_ARG_UI": "0",
            "LLAMA_ARG_WEBUI": "0",
            HOLD_VARIABLE: "1" if held else None,
        }

    async def _unless_it_ends(self, child: ChildProcess, getting_ready: Coroutine[Any, Any, None]) -> None:
        """Watch for the end of the child meanwhile."""
        exited = asyncio.create_task(child.wait(), name="engine exit")
        ready = asyncio.create_task(getting_ready, name="engine readiness")
        try:
            await asyncio.wait({exited, ready}, return_when=asyncio.FIRST_COMPLETED)
            if exited.done():
                error = self._ended_error(exited.result())
                if explain_engine_exit(error.exit_status, error.log_tail).code == "exit-port":
                    raise _PortTaken(error)
                raise error
            ready.result()
        finally:
            exited.cancel()
            ready.cancel()
            await asyncio.gather(exited, ready, return_exceptions=True)

    async def _get_ready(self, child: ChildProcess, readiness: Readiness, room: Room | None) -> None:
        if room is not None:
            await room()
            child.give_word()
        try:
            properties = await readiness.wait(self._start_timeout_s)
        except HealthCheckFailed as error:
            raise _PortTaken(error) from None
        self.limits = limits_of(properties, self.spec.arguments)

    def _ended_error(self, status: int) -> EngineFailed:
        tail = self.log_tail(TAIL_LINES)
        return EngineFailed(reason=engine_exit_sentence(status, tail), exit_status=status, log_tail=tail)

    async def ended(self) -> Failure:
        """Wait until the process has ended and its whole tree is gone; say why, unless it was asked to."""
        child = self._started()
        status = await child.wait()
        if self._upstream is not None:
            self._upstream.close()
        await child.reap_tree()
        if self._stopping:  # no time is spent on looking for the cause: the next model may be waiting
            return Failure(code=CRASHED, arguments={"reason": "it was stopped"}, exit_status=status)
        tail = self.log_tail(TAIL_LINES)
        return Failure(
            code=CRASHED, arguments={"reason": engine_exit_sentence(status, tail)}, exit_status=status, log_tail=tail
        )

    async def stop(self) -> None:
        """Close our connections to it, stop it and wait until its whole tree is gone. Idempotent."""
        self._stopping = True
        async with self._spawning:  # a process that is being spawned is known after this
            pass
        if self._upstream is not None:
            self._upstream.close()
        if self._child is not None:
            await self._child.stop(self._stop_grace_s)

    async def health(self) -> bool:
        """Does it answer that it is well?"""
        return self._upstream is not None and await self._upstream.status("/health", with_key=False) == 200

    def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> AbstractAsyncContextManager[HttpReply]:
        """Send a request; the reply is as the engine sent it. Raises UpstreamFailed when it cannot be reached."""
        if self._upstream is None:
            raise UpstreamFailed(reason="the server has not been started")
        return self._upstream.request(method, path, body, content_type)

    def chat_completions(self, body: bytes) -> AbstractAsyncContextManager[HttpReply]:
        """`POST /v1/chat/completions`; a stream when the body says so."""
        return self.request("POST", "/v1/chat/completions", body)

    def embeddings(self, body: bytes) -> AbstractAsyncContextManager[HttpReply]:
        """`POST /v1/embeddings`."""
        return self.request("POST", "/v1/embeddings", body)

    def tokenize(self, body: bytes) -> AbstractAsyncContextManager[HttpReply]:
        """`POST /tokenize`."""
        return self.request("POST", "/tokenize", body)

    def detokenize(self, body: bytes) -> AbstractAsyncContextManager[HttpReply]:
        """`POST /detokenize`."""
        return self.request("POST", "/detokenize", body)

    def _started(self) -> ChildProcess:
        if self._child is None:
            raise EngineFailed(reason="the server has not been started")
        return self._child


def _free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
