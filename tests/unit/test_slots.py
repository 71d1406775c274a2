"""What engines say of their slots: read, and asked for without waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec.structs import replace

from llamero.infrastructure.llama.slots import limits_of, slots_in_use
from llamero.models.errors import UpstreamFailed
from llamero.models.llama import ActorSnapshot, ModelId, ServerLimits, ServerPhase, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, ServerActivity, SlotUse
from llamero.services.llama.slots import SlotReader
from llamero.services.server_metrics import Readings, whole_snapshot

# As b11549 says it, without what nobody here reads.
PROPS = b'{"default_generation_settings":{"params":{"seed":1},"n_ctx":8192},"total_slots":4,"chat_template":"x"}'
SLOTS = (
    b'[{"id":0,"n_ctx":8192,"is_processing":false},'
    b'{"id":1,"n_ctx":8192,"is_processing":true,"n_prompt_tokens":716,"n_prompt_tokens_processed":22,'
    b'"n_prompt_tokens_cache":0,"next_token":[{"has_next_token":true,"n_remain":19306,"n_decoded":694}]},'
    b'{"id":2,"n_ctx":8192,"is_processing":true,"n_prompt_tokens":90,"n_prompt_tokens_processed":30,'
    b'"n_prompt_tokens_cache":60,"next_token":[{"n_decoded":0}]}]'
)
ONE_BUSY = b'[{"is_processing":true,"n_prompt_tokens_processed":5,"next_token":[{"n_decoded":2}]}]'


def test_limits_are_read_off_the_properties() -> None:
    assert limits_of(PROPS, ["--parallel", "4"]) == ServerLimits(slots=4, context=8192)


@pytest.mark.parametrize(
    "arguments", [[], ["--ctx-size", "8192"], ["--parallel", "2", "-kvu"], ["-np=2", "--kv-unified"]]
)
def test_context_is_shared_unless_slots_were_counted_out(arguments: list[str]) -> None:
    assert limits_of(PROPS, arguments).is_shared


@pytest.mark.parametrize(
    "said", [b"", b"[]", b"nonsense", b'{"total_slots":-1}', b'{"total_slots":"4"}', b"\xff", b'{"total_slots":1e99}']
)
def test_limits_that_nobody_understands_are_not_known(said: bytes) -> None:
    assert limits_of(said, ()) == ServerLimits()


def test_slots_in_use_are_counted_and_the_fullest_is_told() -> None:
    assert slots_in_use(SLOTS) == SlotUse(busy=2, fullest=716, all=806)
    assert slots_in_use(b'[{"is_processing":false}]') == SlotUse(busy=0)
    assert slots_in_use(b'[{"is_processing":true}]') == SlotUse(busy=1)  # an engine that counts nothing


@pytest.mark.parametrize("said", [b"", b"{}", b"[1]", b'[{"is_processing":"yes"}]', b"\xff"])
def test_slots_that_nobody_understands_are_not_known(said: bytes) -> None:
    assert slots_in_use(said) is None


def server(leases: int = 1, generation: int = 1, phase: ServerPhase = ServerPhase.READY) -> ServerSnapshot:
    limits = ServerLimits(slots=4, context=8192)
    model = ModelId("m", "/m.gguf")
    return ServerSnapshot(model=model, phase=phase, generation=generation, leases=leases, limits=limits)


class Reply:
    def __init__(self, status: int, body: bytes) -> None:
        self.status, self._body = status, body

    async def read(self) -> bytes:
        return self._body


class Engine:
    """Answers `/slots` once it is let; counts how often it is asked."""

    def __init__(self, body: bytes = ONE_BUSY, status: int = 200) -> None:
        self.body, self.status = body, status
        self.asked = 0
        self.answers = asyncio.Event()
        self.answers.set()
        self.error: Exception | None = None

    @asynccontextmanager
    async def request(self, method: str, path: str, *_: Any) -> AsyncIterator[Reply]:
        assert (method, path) == ("GET", "/slots")
        self.asked += 1
        await self.answers.wait()
        if self.error is not None:
            raise self.error
        yield Reply(self.status, self.body)


class Engines:
    def __init__(self, **engines: Engine) -> None:
        self.engines = engines

    def server(self, alias: str, generation: int) -> Any:
        return self.engines.get(alias)


@asynccontextmanager
async def reading(engine: Engine) -> AsyncIterator[SlotReader]:
    reader = SlotReader(Engines(m=engine))
    try:
        yield reader
    finally:
        await reader.close()


async def answered() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_slots_are_known_at_the_next_look_and_forgotten_when_nobody_looks() -> None:
    engine = Engine()
    async with reading(engine) as reader:
        assert reader.look([server()]) == {}
        await answered()
        assert reader.look([server()]) == {"m": SlotUse(busy=1, fullest=7, all=7)}
        await answered()
        assert reader.look([]) == {}
        await answered()
        assert engine.asked == 2
        assert reader.look([server(leases=0), server(phase=ServerPhase.STOPPING)]) == {}
        await answered()
        assert engine.asked == 2  # who has no request has nothing to say


async def test_engine_that_is_slow_is_not_asked_again_and_keeps_nobody_waiting() -> None:
    engine = Engine()
    engine.answers.clear()
    async with reading(engine) as reader:
        for _ in range(5):
            assert reader.look([server()]) == {}
            await answered()
        assert engine.asked == 1
        engine.answers.set()
        await answered()
        assert reader.look([server()]) == {"m": SlotUse(busy=1, fullest=7, all=7)}


async def test_engine_that_does_not_say_is_asked_once_in_its_life() -> None:
    engine = Engine(status=501, body=b'{"error":{}}')
    async with reading(engine) as reader:
        for _ in range(3):
            assert reader.look([server()]) == {}
            await answered()
        assert engine.asked == 1
        engine.status, engine.body = 200, ONE_BUSY
        reader.look([server(generation=2)])
        await answered()
        assert reader.look([server(generation=2)]) == {"m": SlotUse(busy=1, fullest=7, all=7)}


async def test_engine_that_breaks_is_forgotten_and_asked_again() -> None:
    engine = Engine()
    async with reading(engine) as reader:
        reader.look([server()])
        await answered()
        engine.error = UpstreamFailed(reason="gone")
        assert reader.look([server()])
        await answered()
        assert reader.look([server()]) == {}
        engine.error = None
        await answered()
        assert engine.asked == 3
    assert reader.look([]) == {}


def snapshot(one: ServerSnapshot, **slots: SlotUse) -> Any:
    hardware = HardwareMetrics(at=1.0, monotonic=1.0)
    readings = Readings(activities={"m": ServerActivity(context_tokens=158)}, slots=slots)
    state = ActorSnapshot(servers=(one,), queue={"m": 2}, waiting=2)
    return whole_snapshot(hardware, state.servers, state, readings, 1.0).servers[0]


def test_server_is_told_with_its_slots_where_they_were_read() -> None:
    told = snapshot(server(leases=3), m=SlotUse(busy=2, fullest=716, all=806))
    assert (told.slots_busy, told.slots, told.waiting) == (2, 4, 2)
    assert (told.context_tokens, told.context_limit) == (716, 8192)


def test_server_whose_slots_share_their_context_is_told_with_what_they_hold_together() -> None:
    """Three answers of 2,730 tokens each end when a context of 8,192 is full, and none of them is near it."""
    sharing = ServerLimits(slots=4, context=8192, is_shared=True)
    told = snapshot(replace(server(leases=3), limits=sharing), m=SlotUse(busy=3, fullest=2730, all=8190))
    assert (told.context_tokens, told.context_limit) == (8190, 8192)


def test_server_is_told_by_its_requests_where_its_slots_were_not_read() -> None:
    told = snapshot(server(leases=9))
    assert (told.slots_busy, told.slots) == (4, 4)  # the engine keeps the others waiting
    assert (told.context_tokens, told.context_limit) == (158, 8192)
    unlimited = ServerSnapshot(model=ModelId("m", "/m.gguf"), phase=ServerPhase.STARTING, generation=1)
    assert (snapshot(unlimited).slots_busy, snapshot(unlimited).slots) == (None, None)


def test_server_that_has_answered_has_no_slot_in_use_whatever_was_read_before() -> None:
    told = snapshot(server(leases=0), m=SlotUse(busy=1, fullest=716, all=716))
    assert (told.slots_busy, told.context_tokens) == (0, 158)
