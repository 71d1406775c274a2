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
from llamero.models.bridge import ServerInfo
from llamero.models.errors import LlameroError
from llamero.models.events import StateEvent
from llamero.models.llama import ActorSnapshot, Failure, ServerPhase, ServerSnapshot

# Not every change of a server that starts or stops is announced, so it is looked at this often until it is done.
TRANSIENT_LOOK_S = 0.2
_TRANSIENT = frozenset({ServerPhase.STARTING, ServerPhase.STOPPING})


class ServerLogs(Protocol):
    """A server, for showing its log."""

    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        """The last lines it wrote, oldest first."""
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
        """Every server that is known."""
        servers = self._actor.snapshot.servers
        present = {_moment(server) for server in servers}
        self._since = {moment: times for moment, times in self._since.items() if moment in present}
        return tuple([self._describe(server) for server in servers])

    def find(self, alias: str) -> ServerInfo:
        """The server of a model; one that was never started, or is gone, is stopped."""
        return next((info for info in self.all() if info.alias == alias), _stopped(alias))

    def log(self, alias: str) -> tuple[str, ...]:
        """The last lines of a model's server, running or failed, oldest first."""
        for server in self._actor.snapshot.servers:
            if server.model.alias == alias:
                running = self._actor.server(alias, server.generation)
                return running.log_tail() if running is not None else _tail(server.failure)
        return ()

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

    def _describe(self, server: ServerSnapshot) -> ServerInfo:
        return ServerInfo(
            alias=server.model.alias,
            phase=server.phase,
            leases=server.leases,
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
            wall = self._clock.time() - (self._clock.monotonic() - server.since)
            known = self._since[moment] = (server.since, round(wall, 3))
        return known[1]

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


def _stopped(alias: str) -> ServerInfo:
    return ServerInfo(alias=alias, phase=ServerPhase.STOPPED)
