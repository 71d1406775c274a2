"""Replies that play a script, and a service that answers with them, for what stands above the models."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

from llamero.models.aliases import ApiModel, Destination, LocalDestination, RemoteDestination
from llamero.models.chat import StreamChunk
from llamero.models.errors import LlameroError, ModelNotFound
from llamero.models.inference import InferenceRequest
from llamero.services.llama.passing import Block

EVENTS = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}


def remote(name: str) -> RemoteDestination:
    return RemoteDestination(alias=name, api=ApiModel(name=name, base_url="http://host.test/v1"), upstream=name)


def event(document: object) -> Block:
    """One event of a chat stream."""
    data = msgspec.json.encode(document)
    return Block(b"data: " + data + b"\n\n", (msgspec.json.decode(data, type=StreamChunk),))


def said(text: str) -> Block:
    return event({"choices": [{"index": 0, "delta": {"content": text}}]})


@dataclass
class Script:
    """What a model does: refuse to open, or answer with a status and steps, of which an error is the last."""

    steps: Sequence[Block | LlameroError] = (said("a"), said("b"), Block(b"data: [DONE]\n\n"))
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: EVENTS)
    refuse: LlameroError | None = None


def refusal(status: int, retry_after: int | str | None = None, body: bytes = b"{}") -> Script:
    headers = JSON if retry_after is None else {**JSON, "Retry-After": str(retry_after)}
    return Script((Block(body),), status, headers)


class ScriptedReply:
    def __init__(self, script: Script) -> None:
        self.status = script.status
        self.headers = script.headers
        self.on_recovery: Callable[[], None] = lambda: None
        self._steps = script.steps

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self.blocks():
            yield block.raw

    async def blocks(self) -> AsyncIterator[Block]:
        for step in self._steps:
            if isinstance(step, LlameroError):
                raise step
            yield step


class ScriptedModels:
    """Models by name, each with a script; remembers who was asked, and how many replies are open."""

    def __init__(self, scripts: Mapping[str, Script], others: Mapping[str, Destination] | None = None) -> None:
        self.scripts = dict(scripts)
        self.asked: list[str] = []
        self.open_now = 0
        self._others = others or {}

    async def resolve(self, name: str) -> Destination:
        if name in self._others:
            return self._others[name]
        if name not in self.scripts:
            raise ModelNotFound(model=name)
        return remote(name)

    @asynccontextmanager
    async def open(
        self, destination: LocalDestination | RemoteDestination, request: InferenceRequest
    ) -> AsyncIterator[ScriptedReply]:
        self.asked.append(destination.alias)
        script = self.scripts[destination.alias]
        if script.refuse is not None:
            raise script.refuse
        self.open_now += 1
        try:
            yield ScriptedReply(script)
        finally:
            self.open_now -= 1
