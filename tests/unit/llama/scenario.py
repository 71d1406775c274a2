"""A recording world for the transitions: feeds events, keeps effects, starts no process and reads no clock."""

from __future__ import annotations

from typing import TypeVar

from llamero.models.llama import Engine, EngineKind, Failure, LaunchSpec, ModelId, ServerPhase
from llamero.services.llama import effects, events
from llamero.services.llama.state import Policy, State
from llamero.services.llama.transitions import step

E = TypeVar("E")
ENGINE = Engine(kind=EngineKind.EMBEDDED, command=("engine",))
CRASH = Failure(code="server_error-engine_crashed", arguments={"reason": "killed by signal 9"}, exit_status=-9)


def spec(
    alias: str, *arguments: str, keep_alive: float = 300.0, memory: int = 0, path: str | None = None
) -> LaunchSpec:
    return LaunchSpec(
        model=ModelId(alias=alias, path=path or f"/models/{alias}.gguf"),
        engine=ENGINE,
        arguments=arguments,
        keep_alive_s=keep_alive,
        memory_bytes=memory,
    )


class Scenario:
    """Time stands still unless a test moves it. Tickets are numbered from 1 in the order of asking."""

    def __init__(self, **policy: object) -> None:
        self.state = State(policy=Policy(**policy))  # type: ignore[arg-type]
        self.now = 0.0
        self.tickets = 0
        self.effects: list[effects.Effect] = []
        self.last: list[effects.Effect] = []

    def tell(self, event: events.Event) -> list[effects.Effect]:
        self.state, self.last = step(self.state, event)
        self.effects += self.last
        return self.last

    def acquire(self, wanted: LaunchSpec, resumes: int | None = None) -> int:
        self.tickets += 1
        self.tell(events.Acquire(self.tickets, wanted, self.now, resumes))
        return self.tickets

    def load(self, wanted: LaunchSpec) -> int:
        self.tickets += 1
        self.tell(events.Load(self.tickets, wanted, self.now))
        return self.tickets

    def unload(self, alias: str | None = None) -> int:
        self.tickets += 1
        self.tell(events.Unload(self.tickets, alias, self.now))
        return self.tickets

    def expire(self, wanted: LaunchSpec) -> int:
        self.tickets += 1
        self.tell(events.Expire(self.tickets, wanted, self.now))
        return self.tickets

    def close(self) -> int:
        self.tickets += 1
        self.tell(events.Close(self.tickets, self.now))
        return self.tickets

    def started(self, alias: str) -> None:
        generation = self.state.servers[alias].generation
        self.tell(events.Started(alias, generation, pid=1000 + generation, port=2000 + generation, at=self.now))

    def start_failed(self, alias: str, failure: Failure = CRASH) -> None:
        self.tell(events.StartFailed(alias, self.state.servers[alias].generation, failure, self.now))

    def exited(self, alias: str, failure: Failure = CRASH) -> None:
        self.tell(events.Exited(alias, self.state.servers[alias].generation, failure, self.now))

    def stopped(self, alias: str) -> None:
        self.tell(events.Stopped(alias, self.state.servers[alias].generation, self.now))

    def release(self, ticket: int) -> None:
        self.tell(events.Released(self.lease(ticket), self.now))

    def wake(self, after: float) -> None:
        self.now += after
        self.tell(events.Woke(self.now))

    def all(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def now_(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.last if isinstance(effect, kind)]

    def answers(self, ticket: int) -> list[effects.Effect]:
        kinds = (effects.Grant, effects.Refuse, effects.Done)
        return [e for e in self.effects if isinstance(e, kinds) and e.ticket == ticket]

    def granted(self, ticket: int) -> bool:
        return any(isinstance(a, effects.Grant) for a in self.answers(ticket))

    def refused(self, ticket: int) -> str | None:
        return next((a.code for a in self.answers(ticket) if isinstance(a, effects.Refuse)), None)

    def lease(self, ticket: int) -> int:
        return next(a.lease for a in self.answers(ticket) if isinstance(a, effects.Grant))

    def phase(self, alias: str) -> ServerPhase | None:
        server = self.state.servers.get(alias)
        return server.phase if server else None

    def ready(self, wanted: LaunchSpec) -> int:
        """Bring a model to ready with one lease held; returns its ticket."""
        ticket = self.acquire(wanted)
        self.started(wanted.model.alias)
        assert self.granted(ticket)
        return ticket
