"""What is shown about servers, and the event `servers` when that changes.

`changed` may be called at any time and as often as one likes: a look is taken once per turn of the event loop, and
windows are told only when something is different.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from llamero.bridge.hub import Hub
from llamero.http.errors import ErrorText
from llamero.infrastructure.clock import Clock
from llamero.models.bridge.servers import ServerInfo
from llamero.models.errors import LlameroError
from llamero.models.events import StateEvent
from llamero.models.llama import (
    ActorSnapshot,
    Engine,
    Failure,
    OutputLines,
    PassedOver,
    ServerExit,
    ServerPhase,
    ServerSnapshot,
)
from llamero.models.supervision import ExitInfo, ServerDetails, ServerOutput

# Not every change of a server that starts or stops is announced, so it is looked at this often until it is done.
TRANSIENT_LOOK_S = 0.2
_TRANSIENT = frozenset({ServerPhase.STARTING, ServerPhase.STOPPING})


class ServerLogs(Protocol):
    """A server, for showing its log."""

    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        """The last lines it wrote, oldest first."""
        ...

    def output_since(self, written: int) -> OutputLines:
        """The lines after the first `written`, as far as they are kept."""
        ...


class Actor(Protocol):
    """What is known about servers: `services.llama.actor.LlamaActor`."""

    @property
    def snapshot(self) -> ActorSnapshot:
        """What is known now."""
        ...

    def server(self, alias: str, generation: int) -> ServerLogs | None:
        """A running server."""
        ...


class ServerInfos:
    """Describes servers for people. `text` is the catalogue of messages."""

    def __init__(self, actor: Actor, hub: Hub, clock: Clock, text: ErrorText) -> None:
        self._actor = actor
        self._hub = hub
        self._clock = clock
        self._text = text
        self._since: dict[tuple[str, int, ServerPhase], tuple[float, float]] = {}
        self._told: tuple[ServerInfo, ...] = ()
        self._looking: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._expecting = 0
        self._closed = False

    def all(self) -> tuple[ServerInfo, ...]:
        """Every server that is known, and every model that has none yet and is waited for."""
        now = self._actor.snapshot
        present = {_moment(server) for server in now.servers}
        self._since = {moment: times for moment, times in self._since.items() if moment in present}
        infos = [self._describe(server, now.queue.get(server.model.alias, 0)) for server in now.servers]
        known = {info.alias for info in infos}
        return (*infos, *[_stopped(alias, count) for alias, count in now.queue.items() if alias not in known])

    def find(self, alias: str) -> ServerInfo:
        """The server of a model; one that was never started, or is gone, is stopped."""
        return next((info for info in self.all() if info.alias == alias), _stopped(alias))

    def details(self, alias: str) -> ServerDetails:
        """All that is known about the server of a model."""
        server = self._snapshot(alias)
        if server is None:
            return ServerDetails(server=self.find(alias))
        engine = server.engine
        return ServerDetails(
            server=self.find(alias),
            model_path=server.model.path,
            generation=server.generation,
            port=server.port,
            engine=None if engine is None else engine.kind,
            variant="" if engine is None else engine.variant,
            engine_note=self.engine_note(engine),
            command=() if engine is None else engine.command,
            flags=server.flags,
            exits=tuple([self._exit(one) for one in server.exits]),
            memory_bytes=server.memory_bytes,
            keep_alive_s=server.keep_alive_s,
            unloads_at=None if server.expires_at is None else self._on_the_wall(server.expires_at),
        )

    def engine_note(self, engine: Engine | None) -> str:
        """For which engine this one stands in, and why; empty where it is the one that was wanted."""
        if engine is None or engine.instead_of is None:
            return ""
        arguments: dict[str, str | int | float] = {
            "variant": engine.instead_of.variant,
            "reason": engine.instead_of.reason,
        }
        return self._reason(Failure(code=PassedOver.CODE, arguments=arguments)) or ""

    def log(self, alias: str) -> tuple[str, ...]:
        """The last lines of a model's server, running or failed, oldest first."""
        server = self._snapshot(alias)
        if server is None:
            return ()
        running = self._actor.server(alias, server.generation)
        return running.log_tail() if running is not None else _tail(server.failure)

    def output(self, alias: str, generation: int, written: int) -> ServerOutput:
        """What a model's server wrote after the first `written` lines of that process; of another one, all."""
        server = self._snapshot(alias)
        if server is None:
            return ServerOutput(generation=0, written=0, lines=())
        after = written if server.generation == generation else 0
        running = self._actor.server(alias, server.generation)
        if running is None:  # only its last lines were kept, and these do not grow
            tail = _tail(server.failure)
            return ServerOutput(generation=server.generation, written=max(after, len(tail)), lines=tail[after:])
        fresh = running.output_since(after)
        return ServerOutput(generation=server.generation, written=fresh.written, lines=fresh.lines)

    def changed(self) -> None:
        """Something may have changed: tell the windows if it has."""
        if self._looking is None and not self._closed:
            self._looking = asyncio.get_running_loop().call_soon(self._look)

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Keep looking for as long as this lasts: somebody has asked for a change."""
        self._expecting += 1
        self.changed()
        try:
            yield
        finally:
            self._expecting -= 1
            self.changed()

    async def heard(self, event: StateEvent) -> None:
        """Take an event of the services as a sign; a listener for `LlamaCppService.subscribe`."""
        self.changed()

    def close(self) -> None:
        """Look no more."""
        self._closed = True
        for handle in (self._looking, self._later):
            if handle is not None:
                handle.cancel()

    def _look(self) -> None:
        self._looking = None
        infos = self.all()
        if infos != self._told:
            self._told = infos
            self._hub.event("servers", infos)
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if self._expecting or any(info.phase in _TRANSIENT for info in infos):
            self._later = asyncio.get_running_loop().call_later(TRANSIENT_LOOK_S, self._look)

    def _snapshot(self, alias: str) -> ServerSnapshot | None:
        return next((server for server in self._actor.snapshot.servers if server.model.alias == alias), None)

    def _describe(self, server: ServerSnapshot, waiting: int) -> ServerInfo:
        return ServerInfo(
            alias=server.model.alias,
            phase=server.phase,
            held=server.held,
            leases=server.leases,
            waiting=waiting,
            restarts=server.restarts,
            since=self._wall_time(server),
            pid=server.pid,
            reason=self._reason(server.failure),
            log_tail=_tail(server.failure),
        )

    def _wall_time(self, server: ServerSnapshot) -> float:
        """When the phase began, on the wall clock; computed once, since the two clocks drift."""
        moment = _moment(server)
        known = self._since.get(moment)
        if known is None or known[0] != server.since:
            wall = self._clock.time() - self._clock.monotonic() + server.since
            known = self._since[moment] = (server.since, round(wall, 3))
        return known[1]

    def _exit(self, one: ServerExit) -> ExitInfo:
        return ExitInfo(
            at=self._on_the_wall(one.at),
            reason=self._reason(one.failure) or "",
            exit_status=one.failure.exit_status,
            ran_s=one.ran_s,
        )

    def _on_the_wall(self, monotonic: float) -> float:
        return round(self._clock.time() - self._clock.monotonic() + monotonic, 1)

    def _reason(self, failure: Failure | None) -> str | None:
        if failure is None:
            return None
        error = LlameroError(failure.code)
        error.arguments = dict(failure.arguments)
        return self._text(error)


def _moment(server: ServerSnapshot) -> tuple[str, int, ServerPhase]:
    return server.model.alias, server.generation, server.phase


def _tail(failure: Failure | None) -> tuple[str, ...]:
    return () if failure is None else failure.log_tail


def _stopped(alias: str, waiting: int = 0) -> ServerInfo:
    return ServerInfo(alias=alias, phase=ServerPhase.STOPPED, waiting=waiting)
