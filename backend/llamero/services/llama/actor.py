"""The shell around the transitions: one mailbox, one loop, effects as tasks whose results are events.

Invariants: the state is replaced here and nowhere else, by one event after the other in the order in which they came;
nothing slow is awaited in the loop; an effect never raises into the loop. The bound of the mailbox is on intents; facts
always fit. An event that finds the mailbox empty and the actor at rest is heard at once: a request then gets its lease
without waiting for two turns of the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from llamero.infrastructure.clock import Clock
from llamero.models.errors import InternalError, LlameroError, Unavailable
from llamero.models.llama import ActorSnapshot, Failure, LaunchSpec
from llamero.services.llama import effects, events
from llamero.services.llama.lease import Lease
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.protocols import Server, ServerFactory
from llamero.services.llama.refusals import to_error, to_failure
from llamero.services.llama.state import Policy, State
from llamero.services.llama.transitions import QUEUE_FULL, SHUTTING_DOWN, step

MAX_INTENTS = 4096

_Key = tuple[str, int]  # alias and generation
_IntentFactory = Callable[[int, float], events.Intent]

logger = logging.getLogger(__name__)


class LlamaActor:
    """Owns what is known about running servers. Use as `async with LlamaActor(...) as actor`."""

    def __init__(self, create: ServerFactory, clock: Clock, listeners: Listeners, policy: Policy) -> None:
        self.clock = clock
        self.on_change: Callable[[], None] = lambda: None
        """Called after every event that changed something; must be quick and must not raise."""
        self._create = create
        self._listeners = listeners
        self._state = State(policy=policy)
        self._mailbox: asyncio.Queue[events.Event] = asyncio.Queue()
        self._intents_waiting = 0
        self._answers: dict[int, asyncio.Future[Lease | None]] = {}
        self._tickets = 0
        self._servers: dict[_Key, Server] = {}
        self._loads: dict[_Key, tuple[float, float]] = {}
        self._ended: dict[_Key, asyncio.Event] = {}
        self._rooms: dict[_Key, asyncio.Event] = {}  # of those that were started held
        self._timer: asyncio.TimerHandle | None = None
        self._loop_task: asyncio.Task[None] | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._hears = False

    @property
    def snapshot(self) -> ActorSnapshot:
        """What is known now. Advisory: show it, but do not decide a change by it."""
        return self._state.snapshot()

    def runs(self, spec: LaunchSpec) -> bool:
        """Is there a server, ready or starting, that does for this spec? Advisory, as the snapshot is."""
        return self._state.runs(spec)

    def server(self, alias: str, generation: int) -> Server | None:
        """A running server, for showing its log."""
        return self._servers.get((alias, generation))

    async def __aenter__(self) -> LlamaActor:
        self._loop_task = asyncio.create_task(self._run(), name="llama actor")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def acquire(self, spec: LaunchSpec, resumes: int | None = None) -> Lease:
        """Wait until the model is ready and return a lease on it.

        `resumes`: the id of the lease whose server died in mid-answer. Raises Unavailable (queue full, stopped by a
        person, shutting down) or what ended the start.
        """
        lease = await self._ask(lambda ticket, at: events.Acquire(ticket, spec, at, resumes))
        if lease is None:
            raise InternalError(reason="the actor answered a request without a lease")
        return lease

    async def load(self, spec: LaunchSpec) -> None:
        """Make the model ready because a person wants it. Raises what ended the start."""
        await self._ask(lambda ticket, at: events.Load(ticket, spec, at))

    async def unload(self, alias: str | None = None) -> None:
        """Stop one model, or all; returns when the processes are gone."""
        await self._ask(lambda ticket, at: events.Unload(ticket, alias, at))

    async def expire(self, spec: LaunchSpec) -> None:
        """Unload a model once no request needs it; returns when its process is gone, or at once if it is in use."""
        await self._ask(lambda ticket, at: events.Expire(ticket, spec, at))

    async def close(self) -> None:
        """Stop everything and the actor itself; returns when the processes are gone. May be called by many, at once."""
        if self._loop_task is None:
            return
        with contextlib.suppress(Unavailable):  # it has ended already
            await self._ask(lambda ticket, at: events.Close(ticket, at), bounded=False)
        await asyncio.shield(self._loop_task)

    def tell(self, fact: events.Fact) -> None:
        """Post a fact."""
        self._post(fact)

    async def heard_of_end(self, key: _Key, timeout_s: float) -> bool:
        """Wait until it is known here that this process has ended. False: it had not by then."""
        ended = self._ended.get(key)
        return ended is None or await self.clock.wait(ended, timeout_s)

    def change_policy(self, policy: Policy) -> None:
        """Use other limits from now on."""
        self.tell(events.PolicyChanged(policy, self.clock.monotonic()))

    async def _ask(self, intent: _IntentFactory, *, bounded: bool = True) -> Lease | None:
        """Post an intent and wait for its one answer, even when the caller is canceled meanwhile."""
        if self._loop_task is None or self._loop_task.done():
            raise Unavailable(SHUTTING_DOWN)
        if bounded and self._intents_waiting >= MAX_INTENTS:
            raise Unavailable(QUEUE_FULL, retry_after=self._state.policy.retry_after_s)
        self._tickets += 1
        ticket = self._tickets
        answer: asyncio.Future[Lease | None] = asyncio.get_running_loop().create_future()
        self._answers[ticket] = answer
        self._intents_waiting += 1
        self._post(intent(ticket, self.clock.monotonic()))
        try:
            return answer.result() if answer.done() else await answer
        except asyncio.CancelledError:
            self._abandon(ticket, answer)
            raise

    def _abandon(self, ticket: int, answer: asyncio.Future[Lease | None]) -> None:
        """The caller has gone: give back a lease that was granted in the same moment, otherwise leave the queue."""
        lease = None if answer.cancelled() or answer.exception() else answer.result()
        if lease is not None:
            lease.release()
        else:
            self.tell(events.Withdrawn(ticket, self.clock.monotonic()))

    async def _run(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
                while not (self._state.closing and not self._state.servers and not self._state.stopping):
                    self._hear(await self._mailbox.get(), self._tasks)
        finally:
            self._tasks = None
            self._wake_at(None)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(Unavailable(SHUTTING_DOWN))

    def _post(self, event: events.Event) -> None:
        """Hear an event, now or in its turn. What may end the actor is for the loop, which has to notice the end."""
        at_rest = not self._hears and self._mailbox.empty() and not self._state.closing
        if at_rest and self._tasks is not None and not isinstance(event, events.Close):
            self._hear(event, self._tasks)
        else:
            self._mailbox.put_nowait(event)

    def _hear(self, event: events.Event, tasks: asyncio.TaskGroup) -> None:
        if isinstance(event, events.Intent):
            self._intents_waiting -= 1
        before = self._state
        self._hears = True
        try:
            self._state, todo = step(before, event)
            for effect in todo:
                self._carry_out(effect, tasks)
            self._forget(event)
            if self._state != before:
                self.on_change()
        finally:
            self._hears = False

    def _forget(self, event: events.Event) -> None:
        """Drop what an event has made useless. Only now: until it was heard, a lease could still be granted."""
        match event:
            case events.Withdrawn():
                self._answers.pop(event.ticket, None)
            case events.Exited() | events.StartFailed() | events.Stopped():
                key = (event.alias, event.generation)
                self._servers.pop(key, None)
                self._loads.pop(key, None)
                if key in self._rooms:
                    self._rooms.pop(key).set()  # one that could not be held and was never spawned waits for it
                if key in self._ended:
                    self._ended.pop(key).set()
            case _:
                pass

    def _carry_out(self, effect: effects.Effect, tasks: asyncio.TaskGroup) -> None:
        match effect:
            case effects.StartServer():
                # Known before the task runs: a stop that comes right after it must find the server.
                key = (effect.alias, effect.generation)
                server = self._servers[key] = self._create(effect.spec)
                self._ended[key] = asyncio.Event()
                if effect.held:
                    self._rooms[key] = asyncio.Event()
                tasks.create_task(self._as_events(self._start(key, server)), name=f"start {effect.alias}")
            case effects.GiveRoom():
                self._rooms[effect.alias, effect.generation].set()
            case effects.StopServer():
                tasks.create_task(self._as_events(self._stop(effect)), name=f"stop {effect.alias}")
            case effects.Grant():
                key = (effect.alias, effect.generation)
                self._answer(effect.ticket, Lease(self, effect, self._servers[key], self._loads.get(key)))
            case effects.Done():
                self._answer(effect.ticket, None)
            case effects.Refuse():
                self._refuse(effect)
            case effects.Announce():
                self._listeners.tell(effect.event)
            case effects.WakeAt():
                self._wake_at(effect.at)

    def _answer(self, ticket: int, lease: Lease | None) -> None:
        """Hand over the answer; a lease that nobody waits for any more goes back."""
        answer = self._answers.pop(ticket, None)
        if answer is not None and not answer.done():
            answer.set_result(lease)
        elif lease is not None:
            lease.release()

    def _refuse(self, effect: effects.Refuse) -> None:
        answer = self._answers.pop(effect.ticket, None)
        if answer is not None and not answer.done():
            answer.set_exception(to_error(effect))

    def _wake_at(self, at: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if at is not None:
            delay = max(0.0, at - self.clock.monotonic())
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay, lambda: self.tell(events.Woke(self.clock.monotonic())))

    async def _as_events(self, effect: Coroutine[Any, Any, events.Fact]) -> None:
        self.tell(await effect)

    async def _start(self, key: _Key, server: Server) -> events.Fact:
        """Start a server, say so, and stay with it until it ends."""
        alias, began = key[0], self.clock.monotonic()
        given = self._rooms.get(key)

        async def room() -> None:
            nonlocal began
            if given is not None:
                await given.wait()
            began = self.clock.monotonic()  # waiting for room is not loading

        try:
            await server.start(None if given is None else room)
        except Exception as error:
            return events.StartFailed(*key, failure=self._failure(alias, error), at=self.clock.monotonic())
        ready = self.clock.monotonic()
        self._loads[key] = (began, ready)
        self.tell(events.Started(*key, pid=server.pid, port=server.port, at=ready, limits=server.limits))
        try:
            failure = await server.ended()
        except Exception as error:
            failure = self._failure(alias, error)
        return events.Exited(*key, failure=failure, at=self.clock.monotonic())

    def _failure(self, alias: str, error: Exception) -> Failure:
        if isinstance(error, LlameroError):
            return to_failure(error)
        logger.error("the server of %s failed unexpectedly", alias, exc_info=error)
        return to_failure(InternalError(reason=type(error).__name__))

    async def _stop(self, effect: effects.StopServer) -> events.Fact:
        key = (effect.alias, effect.generation)
        server = self._servers.get(key)
        if server is not None:
            try:
                await server.stop()
            except Exception:
                logger.exception("stopping %s failed unexpectedly", effect.alias)
        return events.Stopped(*key, at=self.clock.monotonic())
