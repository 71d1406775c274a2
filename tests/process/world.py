"""Actor, servers and answers as the app composes them, around a fake engine: what the actor's and answers' tests use.

Leaving the world checks that nothing of it is left: no process, no task.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.llama.server import LlamaServer
from llamero.infrastructure.processes.spawner import ProcessSpawner
from llamero.models.events import StateEvent
from llamero.models.inference import CHAT
from llamero.models.llama import Engine, LaunchSpec, ModelId, ServerPhase, ServerSnapshot
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.answer import Answer, open_answer
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.sse import SseSplitter
from llamero.services.llama.state import Policy
from tests.process.support import eventually, running_spawner

QUESTION: list[dict[str, Any]] = [{"role": "user", "content": "Who leads the llamas across the mountains?"}]


def spec_for(
    engine: Engine, alias: str = "m", *, path: str = "", keep_alive_s: float = 300.0, **more: Any
) -> LaunchSpec:
    model = ModelId(alias=alias, path=path or f"/models/{alias}.gguf")
    return LaunchSpec(model=model, engine=engine, keep_alive_s=keep_alive_s, **more)


def chat(messages: list[dict[str, Any]] = QUESTION, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": messages, "stream": True, "temperature": 0, **more}


@dataclass
class World:
    spawner: ProcessSpawner
    actor: LlamaActor
    events: list[StateEvent] = field(default_factory=list)

    def server(self, alias: str = "m") -> ServerSnapshot | None:
        return next((s for s in self.actor.snapshot.servers if s.model.alias == alias), None)

    def phase(self, alias: str = "m") -> ServerPhase | None:
        server = self.server(alias)
        return server.phase if server else None

    def pid(self, alias: str = "m") -> int:
        server = self.server(alias)
        assert server is not None
        assert server.pid is not None
        return server.pid

    def generation(self, alias: str = "m") -> int:
        server = self.server(alias)
        return server.generation if server else 0

    async def until_restarted(self, alias: str, generation: int) -> None:
        """Until another process than that of `generation` is ready."""
        await eventually(lambda: self.generation(alias) > generation and self.phase(alias) is ServerPhase.READY)

    async def until(self, phase: ServerPhase | None, alias: str = "m", timeout_s: float = 10.0) -> None:
        await eventually(lambda: self.phase(alias) is phase, timeout_s, f"{alias} is {phase}, not {self.phase(alias)}")

    async def ask(self, spec: LaunchSpec, body: dict[str, Any] | None = None, endpoint: str = CHAT) -> Told:
        """A whole answer, from beginning to end."""
        async with open_answer(self.actor, spec, endpoint, body or chat()) as answer:
            return await read(answer)

    async def ask_pushed(self, spec: LaunchSpec, body: dict[str, Any] | None = None) -> Told:
        """The same, as the gateway reads it."""
        async with open_answer(self.actor, spec, CHAT, body or chat()) as answer:
            pieces = Pieces()
            await answer.pour(pieces)
            return told_by(answer, pieces.all)


@asynccontextmanager
async def world(*, start_timeout_s: float = 10.0, stop_grace_s: float = 1.0, **policy: Any) -> AsyncIterator[World]:
    before = asyncio.all_tasks()
    async with AsyncExitStack() as stack:
        spawner = await stack.enter_async_context(running_spawner())
        listeners = Listeners()
        stack.push_async_callback(listeners.close)
        clock = SystemClock()

        def create(spec: LaunchSpec) -> LlamaServer:
            return LlamaServer(
                spec,
                spawner=spawner,
                clock=clock,
                start_timeout_s=start_timeout_s,
                stop_grace_s=stop_grace_s,
            )

        actor = await stack.enter_async_context(LlamaActor(create, clock, listeners, Policy(**policy)))
        made = World(spawner, actor)

        async def note(event: StateEvent) -> None:
            made.events.append(event)

        listeners.subscribe(note)
        yield made
    await eventually(lambda: not (asyncio.all_tasks() - before), what=f"tasks left: {asyncio.all_tasks() - before}")


@dataclass
class Told:
    """What a client was told: the events as a client reads them."""

    status: int = 200
    raw: bytes = b""
    data: list[bytes] = field(default_factory=list)
    names: list[bytes] = field(default_factory=list)
    continuations: int = 0
    replays: int = 0

    @property
    def chunks(self) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.data if data != b"[DONE]"]

    @property
    def deltas(self) -> list[dict[str, Any]]:
        return [choice["delta"] for chunk in self.chunks for choice in chunk.get("choices", [])]

    @property
    def text(self) -> str:
        return "".join(delta.get("content") or "" for delta in self.deltas)

    @property
    def reasoning(self) -> str:
        return "".join(delta.get("reasoning_content") or "" for delta in self.deltas)

    @property
    def calls(self) -> dict[int, tuple[str, str, str]]:
        """Id, name and arguments of every tool call, put together as a client does."""
        calls: dict[int, tuple[str, str, str]] = {}
        for delta in self.deltas:
            for call in delta.get("tool_calls") or []:
                known = calls.get(call["index"], ("", "", ""))
                function = call.get("function") or {}
                news = (call.get("id") or "", function.get("name") or "", function.get("arguments") or "")
                calls[call["index"]] = (known[0] + news[0], known[1] + news[1], known[2] + news[2])
        return calls

    @property
    def finish_reasons(self) -> list[str]:
        choices = [choice for chunk in self.chunks for choice in chunk.get("choices", [])]
        return [choice["finish_reason"] for choice in choices if choice.get("finish_reason")]

    def assert_well_formed(self) -> None:
        """One role delta, one identity, one end, no names: what any client may rely on."""
        assert self.data.count(b"[DONE]") == 1
        assert self.data[-1] == b"[DONE]"
        assert sum("role" in delta for delta in self.deltas) == 1
        assert len({(c["id"], c["model"]) for c in self.chunks}) == 1  # llama.cpp looks at the clock for each `created`
        assert len(self.finish_reasons) == 1
        assert self.names == []


def told(pieces: Sequence[bytes]) -> Told:
    """Read a stream as a client does."""
    splitter = SseSplitter()
    events = [event for piece in pieces for event in splitter.feed(piece)] + splitter.finish()
    return Told(
        raw=b"".join(pieces),
        data=[event.data for event in events if event.data is not None],
        names=[event.name for event in events if event.name],
    )


class Pieces:
    """A sink that keeps what it gets, and has no room after every other piece."""

    def __init__(self) -> None:
        self.all: list[bytes] = []

    def write(self, data: bytes) -> bool:
        self.all.append(data)
        return len(self.all) % 2 == 0

    async def drained(self) -> None:
        await asyncio.sleep(0)


async def read(answer: Answer) -> Told:
    return told_by(answer, [piece async for piece in answer])


def told_by(answer: Answer, pieces: Sequence[bytes]) -> Told:
    result = told(pieces)
    result.status = answer.status
    result.continuations, result.replays = answer.continuations, answer.replays
    return result


__all__ = ["CHAT", "QUESTION", "Told", "World", "chat", "read", "spec_for", "told", "world"]
