"""The decisions of the actor: `step(state, event) -> (state, effects)`. No IO, no clock, no logging.

Every event is one method of `_Step`, which works on a private copy of the state. After the event the queue is looked
at once (`scheduling.py`), so whatever the event made possible happens in the same step.

Invariants: every ticket is answered exactly once; no stream is cut except by a person's Unload or by Close; a fact
about an earlier generation changes nothing.
"""

from __future__ import annotations

from msgspec.structs import replace

from llamero.models.events import Start, Stop
from llamero.models.llama import Failure, ServerExit, ServerPhase
from llamero.services.llama import events
from llamero.services.llama.effects import Announce, Done, Effect, Refuse
from llamero.services.llama.events import Event
from llamero.services.llama.scheduling import Draft, grant_at_once, schedule
from llamero.services.llama.state import EXITS_KEPT, Server, State, Stopping, Waiting

QUEUE_FULL = "server_error-queue_full"
STOPPED_BY_USER = "server_error-stopped_by_user"
SHUTTING_DOWN = "server_error-shutting_down"
CRASH_LOOP = "server_error-crash_loop"


def step(state: State, event: Event) -> tuple[State, list[Effect]]:
    """Apply one event. Returns the next state and what must be done now, in order."""
    if isinstance(event, events.Acquire):
        return _acquire(state, event)
    draft = Draft(state)
    match event:
        case events.Load():
            _load(draft, event)
        case events.Unload():
            _unload(draft, event)
        case events.Expire():
            _expire(draft, event)
        case events.Close():
            _close(draft, event)
        case events.Withdrawn():
            draft.waiting = [w for w in draft.waiting if w.ticket != event.ticket]
        case events.Released():
            _released(draft, event)
        case events.Started():
            _started(draft, event)
        case events.StartFailed():
            _start_failed(draft, event)
        case events.Exited():
            _exited(draft, event)
        case events.Stopped():
            _stopped(draft, event)
        case events.PolicyChanged():
            draft.policy = event.policy
        case events.Woke():
            pass
    schedule(draft, event.at)
    return draft.freeze(), draft.effects


def _acquire(state: State, event: events.Acquire) -> tuple[State, list[Effect]]:
    if state.closing:
        return state, [Refuse(event.ticket, SHUTTING_DOWN)]
    return grant_at_once(state, event) or queue_up(state, event)


def queue_up(state: State, event: events.Acquire) -> tuple[State, list[Effect]]:
    """Queue the request; a queue that is full refuses it unless it can run at once."""
    waiting = Waiting(ticket=event.ticket, spec=event.spec)
    draft = Draft(state)
    if event.resumes is not None:
        if event.resumes in state.revoked:
            return state, [Refuse(event.ticket, STOPPED_BY_USER)]
        _give_up(draft, event.resumes, event.at)  # else it could wait for itself where one request at a time is let in
        draft.waiting.insert(0, waiting)
    else:
        draft.waiting.append(waiting)
    schedule(draft, event.at)
    overflows = len(state.waiting) >= state.policy.queue_limit and waiting in draft.waiting
    if overflows and event.resumes is None:
        return state, [Refuse(event.ticket, QUEUE_FULL, retry_after=state.policy.retry_after_s)]
    return draft.freeze(), draft.effects


def _load(draft: Draft, event: events.Load) -> None:
    if draft.closing:
        draft.effects.append(Refuse(event.ticket, SHUTTING_DOWN))
        return
    failed = draft.servers.get(event.spec.model.alias)
    if failed is not None and failed.phase is ServerPhase.FAILED:
        del draft.servers[failed.alias]
    draft.waiting.append(Waiting(ticket=event.ticket, spec=event.spec, explicit=True))


def _unload(draft: Draft, event: events.Unload) -> None:
    aliases = [a for a in draft.servers if event.alias in (None, a)]
    _stop_now(draft, aliases, event.at)
    _refuse_waiting(draft, STOPPED_BY_USER, event.alias)
    _await_stopped(draft, event.ticket, aliases)


def _expire(draft: Draft, event: events.Expire) -> None:
    """Stop what nobody uses or waits for; what is in use need not stay beyond its last request."""
    stopping: list[str] = []
    for server in list(draft.servers.values()):
        if server.alias != event.spec.model.alias and not server.spec.runs_like(event.spec):
            continue
        if server.in_use:
            draft.put(replace(server, spec=replace(server.spec, keep_alive_s=0.0)))
        elif server.phase is ServerPhase.STOPPING:
            stopping.append(server.alias)
        elif server.phase is not ServerPhase.FAILED and not any(w.spec.runs_like(server.spec) for w in draft.waiting):
            draft.stop(server, event.at)
            stopping.append(server.alias)
    _await_stopped(draft, event.ticket, stopping)


def _close(draft: Draft, event: events.Close) -> None:
    draft.closing = True
    aliases = list(draft.servers)
    _stop_now(draft, aliases, event.at)
    _refuse_waiting(draft, SHUTTING_DOWN)
    _await_stopped(draft, event.ticket, aliases)


def _stop_now(draft: Draft, aliases: list[str], at: float) -> None:
    """Stop without waiting for leases; who holds one is told so when they try to resume."""
    for alias in aliases:
        server = draft.servers[alias]
        if server.phase in (ServerPhase.STARTING, ServerPhase.READY):
            draft.revoked |= server.leases | server.broken
            draft.stop(server, at)
        elif server.phase is ServerPhase.FAILED:
            del draft.servers[alias]


def _refuse_waiting(draft: Draft, code: str, alias: str | None = None) -> None:
    """Refuse who waits for this alias, or everybody."""
    refused = [w for w in draft.waiting if alias in (None, w.spec.model.alias)]
    draft.waiting = [w for w in draft.waiting if w not in refused]
    draft.effects += [Refuse(w.ticket, code) for w in refused]


def _await_stopped(draft: Draft, ticket: int, aliases: list[str]) -> None:
    still_there = frozenset(a for a in aliases if a in draft.servers)
    if still_there:
        draft.stopping.append(Stopping(ticket=ticket, aliases=still_there))
    else:
        draft.effects.append(Done(ticket))


def _released(draft: Draft, event: events.Released) -> None:
    draft.revoked -= {event.lease}
    _give_up(draft, event.lease, event.at)


def _give_up(draft: Draft, lease: int, at: float) -> None:
    """The request behind a lease has ended, or comes back to resume on another one."""
    for server in draft.servers.values():
        if lease in server.broken:
            draft.put(replace(server, broken=server.broken - {lease}))
            return
        if lease in server.leases:
            leases = server.leases - {lease}
            draft.put(replace(server, leases=leases, last_used=at, idle_since=None if leases else at))
            return


def _current(draft: Draft, alias: str, generation: int) -> Server | None:
    """The server that a fact speaks of, unless the fact is late."""
    server = draft.servers.get(alias)
    return server if server is not None and server.generation == generation else None


def _started(draft: Draft, event: events.Started) -> None:
    server = _current(draft, event.alias, event.generation)
    if server is None or server.phase is not ServerPhase.STARTING:
        return
    explicit = any(w.explicit and w.spec.runs_like(server.spec) for w in draft.waiting)
    never_used_yet = explicit and server.spec.keep_alive_s == 0
    draft.put(
        replace(
            server,
            phase=ServerPhase.READY,
            since=event.at,
            pid=event.pid,
            port=event.port,
            limits=event.limits,
            failure=None,
            idle_since=None if never_used_yet else event.at,
        )
    )
    draft.effects.append(Announce(Start(server.spec.model)))


def _start_failed(draft: Draft, event: events.StartFailed) -> None:
    server = _current(draft, event.alias, event.generation)
    if server is None or server.phase is not ServerPhase.STARTING:
        return
    server = replace(server, exits=_with_exit(server, event.failure, event.at, None))
    _fail(draft, server, event.failure, event.at)


def _with_exit(server: Server, failure: Failure, at: float, ran_s: float | None) -> tuple[ServerExit, ...]:
    """The ends that are remembered once this one is known."""
    return (*server.exits, ServerExit(at=at, failure=failure, ran_s=ran_s))[-EXITS_KEPT:]


def _exited(draft: Draft, event: events.Exited) -> None:
    """Restart after a pause that grows; give up when it crashes too often."""
    server = _current(draft, event.alias, event.generation)
    if server is None or server.phase is not ServerPhase.READY:
        return
    draft.effects.append(Announce(Stop(server.spec.model)))
    policy = draft.policy
    crashes = (*(t for t in server.crashes if t > event.at - policy.crash_window_s), event.at)
    server = replace(
        server,
        crashes=crashes,
        broken=server.broken | server.leases,
        leases=frozenset(),
        pid=None,
        port=None,
        failure=event.failure,
        exits=_with_exit(server, event.failure, event.at, event.at - server.since),
    )
    if len(crashes) >= policy.crash_limit:
        _fail(draft, server, replace(event.failure, code=CRASH_LOOP), event.at)
        return
    pause = policy.backoff_s[min(len(crashes), len(policy.backoff_s)) - 1]
    draft.put(
        replace(
            server,
            phase=ServerPhase.STARTING,
            since=event.at,
            restarts=server.restarts + 1,
            restart_at=event.at + pause,
        )
    )


def _fail(draft: Draft, server: Server, failure: Failure, at: float) -> None:
    """Keep the reason where it can be seen, and tell everybody who waits for this very server."""
    draft.put(
        replace(server, phase=ServerPhase.FAILED, since=at, failure=failure, pid=None, port=None, restart_at=None)
    )
    refused = [w for w in draft.waiting if w.spec.runs_like(server.spec)]
    draft.waiting = [w for w in draft.waiting if w not in refused]
    draft.effects += [Refuse(w.ticket, failure.code, failure=failure) for w in refused]


def _stopped(draft: Draft, event: events.Stopped) -> None:
    server = _current(draft, event.alias, event.generation)
    if server is None or server.phase is not ServerPhase.STOPPING:
        return
    del draft.servers[event.alias]
    if server.pid is not None:
        draft.effects.append(Announce(Stop(server.spec.model)))
    still: list[Stopping] = []
    for caller in draft.stopping:
        left = caller.aliases - {event.alias}
        if left:
            still.append(replace(caller, aliases=left))
        else:
            draft.effects.append(Done(caller.ticket))
    draft.stopping = still
