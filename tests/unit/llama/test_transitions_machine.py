"""A hypothesis state machine of 10,000 steps: any order of intents, facts and time keeps the actor's promises.

The machine plays the world: it remembers which processes live, and lets every start, stop and request end in any order.
"""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from llamero.models.llama import LaunchSpec, ServerPhase
from llamero.services.llama import effects, events
from llamero.services.llama.scheduling import grant_at_once
from llamero.services.llama.state import Policy
from llamero.services.llama.transitions import queue_up
from tests.unit.llama.scenario import CRASH, Scenario, spec

SPECS = st.builds(
    lambda alias, argument, keep_alive, memory: spec(alias, argument, keep_alive=keep_alive, memory=memory),
    st.sampled_from("abcd"),
    st.sampled_from(["-c 1", "-c 2"]),
    st.sampled_from([-1, 0, 5, 300]),
    st.sampled_from([1, 4, 9]),
)


class ActorMachine(RuleBasedStateMachine):
    """Model of the world around the transitions."""

    @initialize(
        max_loaded=st.integers(1, 3),
        queue_limit=st.integers(1, 4),
        concurrency=st.integers(1, 3),
        budget=st.sampled_from([0, 8]),
    )
    def begin(self, max_loaded: int, queue_limit: int, concurrency: int, budget: int) -> None:
        self.policy = Policy(
            max_loaded=max_loaded, queue_limit=queue_limit, concurrency=concurrency, memory_budget=budget
        )
        self.s = Scenario()
        self.s.state = self.s.state.__class__(policy=self.policy)
        self.seen = 0
        self.processes: dict[tuple[str, int], str] = {}
        self.held: set[tuple[str, int]] = set()
        self.served: set[tuple[str, int]] = set()
        self.a_person_decides = False
        self.leases: dict[int, LaunchSpec] = {}
        self.lost: dict[int, LaunchSpec] = {}
        self.open: dict[int, LaunchSpec | None] = {}
        self.resuming: set[int] = set()
        self.user_stopping: set[tuple[str, int]] = set()
        self.answered: set[int] = set()

    def digest(self) -> None:
        """Carry out the new effects, checking that each is allowed."""
        new, self.seen = self.s.effects[self.seen :], len(self.s.effects)
        for effect in new:
            match effect:
                case effects.StartServer():
                    assert not [k for k in self.processes if k[0] == effect.alias], "one process per alias"
                    self.processes[effect.alias, effect.generation] = "starting"
                    if effect.held:
                        self.held.add((effect.alias, effect.generation))
                case effects.GiveRoom():
                    self.held.remove((effect.alias, effect.generation))
                case effects.StopServer():
                    key = (effect.alias, effect.generation)
                    if self.processes.get(key) == "ready" and key not in self.served and not self.a_person_decides:
                        server = self.s.state.servers[effect.alias]
                        waits = any(w.spec.runs_like(server.spec) for w in self.s.state.waiting)
                        # Except for somebody whose server died in mid-answer, who comes before all others.
                        resumes = any(w.ticket in self.resuming for w in self.s.state.waiting)
                        assert not waits or server.restarts or resumes, "nothing is loaded in vain for who waits on"
                    if key in self.processes:
                        self.processes[key] = "stopping"
                    else:  # it was between a crash and its restart: there is nothing to stop
                        self.processes[key] = "stopping"
                case effects.Grant():
                    self.answer(effect.ticket)
                    assert self.processes[effect.alias, effect.generation] == "ready", "a lease needs a ready server"
                    wanted = self.asked[effect.ticket]
                    assert self.s.state.servers[effect.alias].spec.runs_like(wanted)
                    self.leases[effect.lease] = wanted
                    self.served.add((effect.alias, effect.generation))
                case effects.Refuse() | effects.Done():
                    if self.open.get(effect.ticket) is not None:
                        self.served.update(key for key, state in self.processes.items() if state == "ready")
                    self.answer(effect.ticket)
                case _:
                    pass
        self.check_room()

    def check_room(self) -> None:
        """What is held takes no room until it is given some."""
        loaded = [key for key in self.processes if key not in self.held]
        assert len(loaded) <= self.policy.max_loaded, "never more than may be loaded"
        if self.policy.memory_budget:
            used = sum(self.s.state.servers[a].spec.memory_bytes for a, _ in loaded)
            assert used <= self.policy.memory_budget

    def answer(self, ticket: int) -> None:
        assert ticket in self.open, "answered once, and only who still waits"
        del self.open[ticket]

    asked: dict[int, LaunchSpec]

    def ask(self, wanted: LaunchSpec | None) -> None:
        if not hasattr(self, "asked"):
            self.asked = {}
        ticket = self.s.tickets + 1
        self.open[ticket] = wanted
        if wanted is not None:
            self.asked[ticket] = wanted

    def keys(self, state: str) -> list[tuple[str, int]]:
        return sorted(k for k, v in self.processes.items() if v == state)

    @rule(wanted=SPECS)
    def acquire(self, wanted: LaunchSpec) -> None:
        state, event = self.s.state, events.Acquire(self.s.tickets + 1, wanted, self.s.now)
        if (granted := grant_at_once(state, event)) is not None:
            assert granted == queue_up(state, event), "the short way comes to the same as the long one"
        self.ask(wanted)
        self.s.acquire(wanted)
        self.digest()

    @rule(wanted=SPECS)
    def load(self, wanted: LaunchSpec) -> None:
        self.ask(wanted)
        self.s.load(wanted)
        self.digest()

    @rule(alias=st.sampled_from(["a", "b", "c", "d", None]))
    def unload(self, alias: str | None) -> None:
        self.ask(None)
        self.a_person_decides = True
        self.s.unload(alias)
        for lease in [le for le, sp in self.leases.items() if le in self.s.state.revoked]:
            self.lost[lease] = self.leases.pop(lease)
        self.digest()
        self.a_person_decides = False

    @rule(wanted=SPECS)
    def expire(self, wanted: LaunchSpec) -> None:
        waiting = self.s.state.waiting
        self.ask(None)
        self.s.expire(wanted)
        assert self.s.state.waiting == waiting, "nobody is refused by it, and nobody is let in"
        self.digest()

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        waiting = sorted(t for t in self.open if self.open[t] is not None)
        if not waiting:
            return
        ticket = data.draw(st.sampled_from(waiting))
        del self.open[ticket]
        self.served.update(self.processes)  # any of them may have been started for this one
        self.s.tell(events.Withdrawn(ticket, self.s.now))
        self.digest()

    @precondition(lambda self: self.leases)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(sorted(self.leases)))
        del self.leases[lease]
        self.s.tell(events.Released(lease, self.s.now))
        self.digest()

    @precondition(lambda self: self.lost)
    @rule(data=st.data(), resume=st.booleans())
    def end_of_a_broken_request(self, data: st.DataObject, resume: bool) -> None:
        lease = data.draw(st.sampled_from(sorted(self.lost)))
        wanted = self.lost.pop(lease)
        if resume:
            self.ask(wanted)
            self.resuming.add(self.s.tickets + 1)
            self.s.acquire(wanted, resumes=lease)
            self.digest()
        self.s.tell(events.Released(lease, self.s.now))
        self.digest()

    @precondition(lambda self: self.keys("starting"))
    @rule(data=st.data(), succeeds=st.booleans())
    def start_ends(self, data: st.DataObject, succeeds: bool) -> None:
        alias, generation = data.draw(st.sampled_from(self.keys("starting")))
        if succeeds:
            if (alias, generation) in self.held:
                return
            self.processes[alias, generation] = "ready"
            self.s.tell(events.Started(alias, generation, pid=1, port=2, at=self.s.now))
        else:
            del self.processes[alias, generation]
            self.s.tell(events.StartFailed(alias, generation, CRASH, self.s.now))
        self.digest()

    @precondition(lambda self: self.keys("ready"))
    @rule(data=st.data())
    def crash(self, data: st.DataObject) -> None:
        alias, generation = data.draw(st.sampled_from(self.keys("ready")))
        for lease in self.s.state.servers[alias].leases:
            self.lost[lease] = self.leases.pop(lease)
        del self.processes[alias, generation]
        self.s.tell(events.Exited(alias, generation, CRASH, self.s.now))
        self.digest()

    @precondition(lambda self: self.keys("stopping"))
    @rule(data=st.data(), late=st.booleans())
    def stop_ends(self, data: st.DataObject, late: bool) -> None:
        alias, generation = data.draw(st.sampled_from(self.keys("stopping")))
        if late:  # a start or crash that lost the race against the stop is told too
            self.s.tell(events.StartFailed(alias, generation, CRASH, self.s.now))
            self.s.tell(events.Exited(alias, generation, CRASH, self.s.now))
        del self.processes[alias, generation]
        self.s.tell(events.Stopped(alias, generation, self.s.now))
        self.digest()

    @rule(seconds=st.sampled_from([0.1, 1, 6, 61, 400]))
    def time_passes(self, seconds: float) -> None:
        self.s.wake(seconds)
        self.digest()

    @rule(max_loaded=st.integers(1, 3))
    def policy_grows(self, max_loaded: int) -> None:
        self.policy = Policy(
            max_loaded=max(max_loaded, self.policy.max_loaded),
            queue_limit=self.policy.queue_limit,
            concurrency=self.policy.concurrency,
            memory_budget=self.policy.memory_budget,
        )
        self.s.tell(events.PolicyChanged(self.policy, self.s.now))
        self.digest()

    @invariant()
    def leases_are_on_ready_servers_and_known(self) -> None:
        if not hasattr(self, "s"):
            return
        held = {lease for server in self.s.state.servers.values() for lease in server.leases}
        assert held == set(self.leases)
        for server in self.s.state.servers.values():
            assert not server.leases or server.phase is ServerPhase.READY, "no stream is cut by our own decision"
            assert len(server.leases) <= self.policy.concurrency

    @invariant()
    def the_waiting_are_those_without_an_answer(self) -> None:
        if not hasattr(self, "s"):
            return
        waiting = {w.ticket for w in self.s.state.waiting} | {w.ticket for w in self.s.state.stopping}
        assert waiting == set(self.open)

    @invariant()
    def somebody_who_waits_waits_for_something(self) -> None:
        if not hasattr(self, "s") or not self.s.state.waiting:
            return
        under_way = self.keys("starting") or self.keys("stopping") or self.leases or self.lost
        pausing = [s for s in self.s.state.servers.values() if s.restart_at is not None]
        assert under_way or pausing

    def teardown(self) -> None:
        """Let everything end: afterwards nobody waits and nothing runs."""
        if not hasattr(self, "s"):
            return
        for _ in range(300):
            if starting := [key for key in self.keys("starting") if key not in self.held]:
                alias, generation = starting[0]
                self.processes[alias, generation] = "ready"
                self.s.tell(events.Started(alias, generation, pid=1, port=2, at=self.s.now))
            elif self.keys("stopping"):
                alias, generation = self.keys("stopping")[0]
                del self.processes[alias, generation]
                self.s.tell(events.Stopped(alias, generation, self.s.now))
            elif self.leases or self.lost:
                lease = min([*self.leases, *self.lost])
                self.leases.pop(lease, None)
                self.lost.pop(lease, None)
                self.s.tell(events.Released(lease, self.s.now))
            elif self.open and not self.s.state.closing:
                self.s.wake(70)
            elif not self.s.state.closing:
                self.ask(None)
                self.a_person_decides = True
                self.s.close()
            else:
                break
            self.digest()
        assert not self.open, "everybody was answered"
        assert not self.processes, "nothing is left behind"


TestActorMachine = ActorMachine.TestCase
TestActorMachine.settings = settings(
    max_examples=200, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
