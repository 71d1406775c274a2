"""Who runs next: the queue against what is loaded. Pure, like the transitions that call it.

The queue is walked in order. A request that needs another server's place marks that server as *leaving*: it takes no
new request from callers further back, so a busy model cannot starve another one; it is stopped when its leases end.
Nobody overtakes a request that waits for room.
"""

from __future__ import annotations

from msgspec.structs import replace

from llamero.models.llama import Failure, LaunchSpec, ServerPhase
from llamero.services.llama.effects import Done, Effect, GiveRoom, Grant, Refuse, StartServer, StopServer, WakeAt
from llamero.services.llama.events import Acquire
from llamero.services.llama.state import RUNNING, Server, State, Waiting

_COMING = frozenset({ServerPhase.STARTING, ServerPhase.READY})
INSUFFICIENT_MEMORY = "server_error-insufficient_memory"


class Draft:
    """A private, mutable copy of the state during one step."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.policy = state.policy
        self.servers = dict(state.servers)
        self.waiting = list(state.waiting)
        self.stopping = list(state.stopping)
        self.revoked = state.revoked
        self.next_generation = state.next_generation
        self.next_lease = state.next_lease
        self.closing = state.closing
        self.effects: list[Effect] = []

    def put(self, server: Server) -> None:
        """Replace a server's record."""
        self.servers[server.alias] = server

    def start(self, server: Server, at: float, *, held: bool = False) -> None:
        """Spawn the next process of this server; `held`: there will be room for its model, but is none yet."""
        server = replace(
            server,
            phase=ServerPhase.STARTING,
            generation=self.next_generation,
            since=at,
            restart_at=None,
            held=held,
        )
        self.next_generation += 1
        self.put(server)
        effect = StartServer(server.alias, server.generation, server.spec, held)
        # A process that has to wait for the end of others is on its way before they are asked to end.
        self.effects.insert(0 if held else len(self.effects), effect)

    def stop(self, server: Server, at: float) -> None:
        """Stop the process of this server."""
        self.put(
            replace(
                server, phase=ServerPhase.STOPPING, since=at, leases=frozenset(), broken=frozenset(), restart_at=None
            )
        )
        self.effects.append(StopServer(server.alias, server.generation))

    def fits(self, spec: LaunchSpec, loaded: list[LaunchSpec]) -> bool:
        """May this be loaded beside those?"""
        if len(loaded) >= self.policy.max_loaded:
            return False
        memory = sum(s.memory_bytes for s in loaded) + spec.memory_bytes
        return not self.policy.memory_budget or memory <= self.policy.memory_budget

    def freeze(self) -> State:
        """The next state."""
        return replace(
            self._state,
            policy=self.policy,
            servers=self.servers,
            waiting=tuple(self.waiting),
            stopping=tuple(self.stopping),
            revoked=self.revoked,
            next_generation=self.next_generation,
            next_lease=self.next_lease,
            closing=self.closing,
        )


def schedule(draft: Draft, at: float) -> None:
    """Restart what is due, serve the queue, unload what is idle, and ask to be woken for the rest."""
    if not draft.closing:
        for server in list(draft.servers.values()):
            if server.restart_at is not None and server.restart_at <= at:
                draft.start(server, at)
        _give_room(draft)
        _Queue(draft, at).serve()
    _unload_idle(draft, at)
    draft.effects.append(WakeAt(_next_deadline(draft)))


def grant_at_once(state: State, event: Acquire) -> tuple[State, list[Effect]] | None:
    """Grant what most requests ask for: the only model that is loaded, ready, with nobody waiting. None: anything else.

    A shorter way to what `schedule` comes to, and nothing else: one lease more, on a server that is in use from now on
    and so has no deadline.
    """
    server = state.servers.get(event.spec.model.alias)
    if server is None or server.phase is not ServerPhase.READY or len(state.servers) > 1:
        return None
    if state.waiting or event.resumes is not None or len(server.leases) >= state.policy.concurrency:
        return None
    if not server.spec.runs_like(event.spec):
        return None
    lease = state.next_lease
    server = _leased(server, lease, event.spec, event.at)
    grant = Grant(event.ticket, lease, server.alias, server.generation)
    return replace(state, servers={server.alias: server}, next_lease=lease + 1), [grant, WakeAt(None)]


def _leased(server: Server, lease: int, spec: LaunchSpec, at: float) -> Server:
    """A server with one lease more. How long it is kept when nobody uses it is what its last caller wants."""
    return replace(
        server,
        spec=replace(server.spec, keep_alive_s=spec.keep_alive_s),
        leases=server.leases | {lease},
        last_used=at,
        idle_since=None,
    )


def _give_room(draft: Draft) -> None:
    """Let held servers load as soon as there is room, in the order in which they were started."""
    running = [s for s in draft.servers.values() if s.phase in RUNNING]
    loaded = [s.spec for s in running if not s.held]
    held = [s for s in running if s.held and s.phase is ServerPhase.STARTING]
    for server in sorted(held, key=lambda s: s.generation):
        if not draft.fits(server.spec, loaded):
            return
        loaded.append(server.spec)
        draft.put(replace(server, held=False))
        draft.effects.append(GiveRoom(server.alias, server.generation))


class _Queue:
    """One walk over the queue. `leaving`, `claimed` and `blocked` live only as long as the walk."""

    def __init__(self, draft: Draft, at: float) -> None:
        self.draft = draft
        self.at = at
        self.leaving = {a for a, s in draft.servers.items() if s.phase is ServerPhase.STOPPING}
        self.claimed: list[LaunchSpec] = []
        self.blocked = False

    def serve(self) -> None:
        self.draft.waiting = [w for w in self.draft.waiting if not self._answer(w)]

    def _answer(self, waiting: Waiting) -> bool:
        """Try to answer one caller. Returns whether it leaves the queue."""
        server = self._running(waiting.spec)
        if server is not None and server.phase is ServerPhase.READY and server.alias not in self.leaving:
            return self._grant(waiting, server)
        if server is not None or any(spec.runs_like(waiting.spec) for spec in self.claimed):
            return False
        return self._make_room(waiting)

    def _running(self, spec: LaunchSpec) -> Server | None:
        """A server that does for this spec, now or soon: its own, or another alias's that was started alike."""
        alike = [s for s in self.draft.servers.values() if s.phase in _COMING and s.spec.runs_like(spec)]
        alike.sort(key=lambda s: (s.phase is not ServerPhase.READY, s.alias != spec.model.alias))
        return alike[0] if alike else None

    def _grant(self, waiting: Waiting, server: Server) -> bool:
        draft = self.draft
        if waiting.explicit:
            spec = replace(server.spec, keep_alive_s=waiting.spec.keep_alive_s)
            waits_for_use = server.in_use or spec.keep_alive_s == 0
            draft.put(replace(server, spec=spec, idle_since=None if waits_for_use else self.at))
            draft.effects.append(Done(waiting.ticket))
            return True
        if len(server.leases) >= draft.policy.concurrency:
            return False
        lease = draft.next_lease
        draft.next_lease += 1
        draft.put(_leased(server, lease, waiting.spec, self.at))
        draft.effects.append(Grant(waiting.ticket, lease, server.alias, server.generation))
        return True

    def _make_room(self, waiting: Waiting) -> bool:
        """Start the model if it fits, be it as soon as the servers that stop are gone; otherwise see that it will."""
        draft, spec = self.draft, waiting.spec
        former = draft.servers.get(spec.model.alias)
        if former is not None and former.phase is ServerPhase.FAILED:
            if self._crash_loop_holds(former, waiting):
                draft.effects.append(Refuse(waiting.ticket, _code(former.failure), failure=former.failure))
                return True
            former = None
        budget = draft.policy.memory_budget
        if budget and spec.memory_bytes > budget:
            draft.effects.append(Refuse(waiting.ticket, INSUFFICIENT_MEMORY))
            return True
        if former is not None and self._may_go(former):
            self._leave(former)
        while not draft.fits(spec, self._staying()):
            victim = self._victim()
            if victim is None:
                break
            self._leave(victim)
        if former is None and not self.blocked and draft.fits(spec, self._in(_COMING)):
            self._start(spec)
        else:
            self.blocked = True
        self.claimed.append(spec)
        return False

    def _crash_loop_holds(self, server: Server, waiting: Waiting) -> bool:
        """A model that crashed too often is not tried again by requests until the window has passed."""
        if waiting.explicit or not server.spec.runs_like(waiting.spec):
            return False
        recent = [t for t in server.crashes if t > self.at - self.draft.policy.crash_window_s]
        return len(recent) >= self.draft.policy.crash_limit

    def _start(self, spec: LaunchSpec) -> None:
        former = self.draft.servers.get(spec.model.alias)
        exits = () if former is None else former.exits
        server = Server(
            spec=spec, phase=ServerPhase.STARTING, generation=0, since=self.at, last_used=self.at, exits=exits
        )
        self.draft.start(server, self.at, held=not self.draft.fits(spec, self._in(RUNNING)))

    def _leave(self, server: Server) -> None:
        """Take this server's place: at once when nobody uses it, otherwise when its leases have ended."""
        self.leaving.add(server.alias)
        if server.phase in (ServerPhase.READY, ServerPhase.STARTING) and not server.in_use:
            self.draft.stop(server, self.at)

    def _in(self, phases: frozenset[ServerPhase]) -> list[LaunchSpec]:
        return [s.spec for s in self.draft.servers.values() if s.phase in phases]

    def _staying(self) -> list[LaunchSpec]:
        """What will be loaded once the leaving servers are gone and the earlier claims are started."""
        running = {s.alias: s.spec for s in self.draft.servers.values() if s.phase in RUNNING}
        stay = [spec for alias, spec in running.items() if alias not in self.leaving]
        return stay + [spec for spec in self.claimed if spec not in stay]

    def _victim(self) -> Server | None:
        """The least recently used server that may go, idle ones first; never one that still starts for somebody."""
        candidates = [s for s in self.draft.servers.values() if s.alias not in self.leaving and self._may_go(s)]
        return min(candidates, key=lambda s: (s.in_use, s.last_used, s.alias), default=None)

    def _may_go(self, server: Server) -> bool:
        if server.phase is ServerPhase.READY:
            return True
        wanted = any(w.spec.runs_like(server.spec) for w in self.draft.waiting)
        return server.phase is ServerPhase.STARTING and not wanted and not server.broken


def _unload_idle(draft: Draft, at: float) -> None:
    """Unload what was idle for its keep-alive, and the least recently used beyond the number kept loaded."""
    for server in list(draft.servers.values()):
        if server.expires_at is not None and server.expires_at <= at:
            draft.stop(server, at)
    loaded = [s for s in draft.servers.values() if s.phase in _COMING]
    idle = sorted((s for s in loaded if s.phase is ServerPhase.READY and not s.in_use), key=lambda s: s.last_used)
    for server in idle[: max(0, len(loaded) - draft.policy.max_loaded)]:
        draft.stop(server, at)


def _next_deadline(draft: Draft) -> float | None:
    deadlines = [s.expires_at for s in draft.servers.values()]
    deadlines += [s.restart_at for s in draft.servers.values()]
    return min((d for d in deadlines if d is not None), default=None)


def _code(failure: Failure | None) -> str:
    return failure.code if failure is not None else "server_error-startup_error"
