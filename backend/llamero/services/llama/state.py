"""What the actor knows: one immutable value, replaced by every transition.

Invariants: at most one process per alias; a lease exists only on a ready server, or on one that a person is stopping;
the waiting queue is in order of fairness; `generation` only grows, so a late fact about an earlier process is known.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum

import msgspec

from llamero.models.llama import (
    ActorSnapshot,
    Failure,
    LaunchSpec,
    ServerExit,
    ServerLimits,
    ServerPhase,
    ServerSnapshot,
)

# So many ends that nobody asked for are remembered of each server, for people to see.
EXITS_KEPT = 5
RUNNING = frozenset({ServerPhase.STARTING, ServerPhase.READY, ServerPhase.STOPPING})


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits that the transitions keep. `memory_budget` in bytes, 0 for none; `backoff_s` per crash in a row."""

    max_loaded: int = 1
    memory_budget: int = 0
    queue_limit: int = 64
    concurrency: int = 256
    crash_limit: int = 3
    crash_window_s: float = 60.0
    backoff_s: tuple[float, ...] = (0.0, 0.5, 2.0)
    retry_after_s: float = 5.0


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server. Times are monotonic seconds.

    `held`: its process may be there, but there is no room for its model yet. `idle_since` is None while it is in use.
    `broken` are leases that a crash took and whose requests have neither ended nor come back yet: the server is kept
    for them.
    """

    spec: LaunchSpec
    phase: ServerPhase
    generation: int
    since: float
    last_used: float
    held: bool = False
    leases: frozenset[int] = frozenset()
    broken: frozenset[int] = frozenset()
    crashes: tuple[float, ...] = ()
    restarts: int = 0
    idle_since: float | None = None
    restart_at: float | None = None
    pid: int | None = None
    port: int | None = None
    failure: Failure | None = None
    exits: tuple[ServerExit, ...] = ()
    limits: ServerLimits = ServerLimits()

    @property
    def in_use(self) -> bool:
        """Is there a request that needs this server to stay?"""
        return bool(self.leases or self.broken)

    @property
    def alias(self) -> str:
        """The alias that the server was started for."""
        return self.spec.model.alias

    @property
    def expires_at(self) -> float | None:
        """When it is unloaded if nothing is asked of it; None while in use, unused so far, kept for good, not ready."""
        if self.phase is not ServerPhase.READY or self.in_use or self.idle_since is None or self.spec.keep_alive_s < 0:
            return None
        return self.idle_since + self.spec.keep_alive_s

    def snapshot(self) -> ServerSnapshot:
        """This server as it may be shown."""
        return ServerSnapshot(
            model=self.spec.model,
            phase=self.phase,
            generation=self.generation,
            held=self.held and self.phase is ServerPhase.STARTING,
            leases=len(self.leases),
            restarts=self.restarts,
            since=self.since,
            pid=self.pid,
            port=self.port,
            failure=self.failure,
            variant=self.spec.engine.variant,
            memory_bytes=self.spec.memory_bytes,
            keep_alive_s=self.spec.keep_alive_s,
            expires_at=self.expires_at,
            engine=self.spec.engine,
            flags=self.spec.flags,
            exits=self.exits,
            limits=self.limits,
        )


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A caller in the queue. `explicit`: a person's Load, which wants no lease and clears a crash loop."""

    ticket: int
    spec: LaunchSpec
    explicit: bool = False


class Stopping(msgspec.Struct, frozen=True, kw_only=True):
    """A caller of Unload, Expire or Close, and the aliases that it still waits for."""

    ticket: int
    aliases: frozenset[str]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `revoked` are leases that a person's stop took away and whose requests have not ended yet."""

    policy: Policy = Policy()
    servers: dict[str, Server] = msgspec.field(default_factory=dict)
    waiting: tuple[Waiting, ...] = ()
    stopping: tuple[Stopping, ...] = ()
    revoked: frozenset[int] = frozenset()
    next_generation: int = 1
    next_lease: int = 1
    closing: bool = False

    def runs(self, spec: LaunchSpec) -> bool:
        """Is there a server, ready or starting, that does for this spec?"""
        coming = (ServerPhase.STARTING, ServerPhase.READY)
        return any(server.phase in coming and server.spec.runs_like(spec) for server in self.servers.values())

    def snapshot(self) -> ActorSnapshot:
        """The state as it may be shown."""
        return ActorSnapshot(
            servers=tuple(server.snapshot() for server in self.servers.values()),
            queue=Counter(waiting.spec.model.alias for waiting in self.waiting),
            waiting=len(self.waiting),
            stopping=self.closing,
        )


class Strategy(StrEnum):
    """What a request for a model means for what is loaded."""

    LOAD = "Load"
    CONTINUE = "Continue"
    DROP_AND_LOAD = "DropAndLoad"


def load_strategy(loaded: LaunchSpec | None, wanted: LaunchSpec) -> Strategy:
    """Same model and same effective arguments: continue. Nothing loaded: load. Anything else: drop, then load."""
    if loaded is None:
        return Strategy.LOAD
    return Strategy.CONTINUE if loaded.runs_like(wanted) else Strategy.DROP_AND_LOAD
