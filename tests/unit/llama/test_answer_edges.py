"""Answers over a scripted server: streams that are no chat, and events that are no chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import msgspec
import pytest

from llamero.infrastructure.clock import SystemClock
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import CHAT, TRANSCRIPTIONS
from llamero.models.llama import Failure, LaunchSpec, ServerLimits
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.answer import Answer, open_answer
from llamero.services.llama.listeners import Listeners
from llamero.services.llama.protocols import Room, Sink
from llamero.services.llama.state import Policy
from tests.unit.llama.scenario import spec

BREAK = object()
WAY: ContextVar[Callable[[Reader, Answer], Awaitable[None]]] = ContextVar("WAY")
HELLO = b'data: {"id":"a","choices":[{"index":0,"delta":{"role":"assistant","content":"Hello"}}]}\n\n'
END = b'data: {"id":"a","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


class Reply:
    """A stream of the scripted pieces; BREAK breaks the connection."""

    def __init__(self, pieces: list[Any]) -> None:
        self.status = 200
        self.headers: Mapping[str, str] = {"Content-Type": "text/event-stream"}
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if piece is BREAK:
                raise UpstreamFailed(reason="the connection broke")
            yield piece

    async def read(self) -> bytes:
        return b"".join([piece async for piece in self])

    async def pour(self, sink: Sink) -> None:
        async for piece in self:
            if not sink.write(piece):
                await sink.drained()


class Reader:
    """Takes an answer by either way. It is full after every piece, so that each is waited for."""

    def __init__(self) -> None:
        self.got = b""

    def write(self, data: bytes) -> bool:
        self.got += data
        return False

    async def drained(self) -> None:
        await asyncio.sleep(0)

    async def pull(self, answer: Answer) -> None:
        async for piece in answer:
            self.got += piece

    async def let_pour(self, answer: Answer) -> None:
        await answer.pour(self)


class ScriptedServer:
    """A server that dies as soon as a connection breaks, as a crash looks from here."""

    pid, port = 1, 1

    def __init__(self, script: list[list[Any]], bodies: list[dict[str, Any]]) -> None:
        self._script, self._bodies = script, bodies
        self._ended = asyncio.Event()

    limits = ServerLimits()

    async def start(self, room: Room | None = None) -> None:
        pass

    async def ended(self) -> Failure:
        await self._ended.wait()
        return Failure(code="server_error-engine_crashed")

    async def stop(self) -> None:
        self._ended.set()

    @asynccontextmanager
    async def request(
        self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json"
    ) -> AsyncIterator[Reply]:
        self._bodies.append(msgspec.json.decode(body or b"{}"))
        pieces = self._script.pop(0)
        yield Reply(pieces)
        if BREAK in pieces:
            self._ended.set()

    def log_tail(self, lines: int = 512) -> tuple[str, ...]:
        return ()


@pytest.fixture(autouse=True, params=[Reader.pull, Reader.let_pour])
def way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every answer here is read by both ways, which tell the same."""
    token = WAY.set(request.param)
    yield
    WAY.reset(token)


async def answer(
    *script: list[Any], endpoint: str = CHAT, body: dict[str, Any] | None = None
) -> tuple[bytes, list[dict[str, Any]], UpstreamFailed | None]:
    """What the client gets, what the servers were asked, and how it ended."""
    bodies: list[dict[str, Any]] = []
    remaining = list(script)

    def create(_: LaunchSpec) -> ScriptedServer:
        return ScriptedServer(remaining, bodies)

    reader = Reader()
    policy = Policy(crash_limit=100, backoff_s=(0.0,))
    async with LlamaActor(create, SystemClock(), Listeners(), policy) as actor:
        try:
            async with open_answer(actor, spec("m"), endpoint, body or {"stream": True}) as opened:
                await WAY.get()(reader, opened)
        except UpstreamFailed as error:
            return reader.got, bodies, error
    return reader.got, bodies, None


async def test_stream_that_is_no_chat_passes_byte_for_byte_with_the_event_names_it_has() -> None:
    stream = b"event: transcript.text.delta\ndata: {}\n\nevent: transcript.text.done\ndata: not json\n\n"
    assert await answer([stream], endpoint=TRANSCRIPTIONS) == (stream, [{"stream": True}], None)


async def test_event_names_that_a_model_made_up_are_dropped_and_their_data_passes() -> None:
    stream = b"event: error\ndata: {}\n\nevent: ping\n\n"
    assert await answer([stream], endpoint="/v1/other") == (b"data: {}\n\n", [{"stream": True}], None)


async def test_stream_that_is_no_chat_breaks_after_its_first_event_is_a_typed_error() -> None:
    event = b"event: transcript.text.delta\ndata: {}\n\n"
    got, bodies, error = await answer([event, BREAK], [event], endpoint=TRANSCRIPTIONS)
    assert got == event, "nothing comes twice"
    assert len(bodies) == 1
    assert error is not None


async def test_stream_that_is_no_chat_breaks_before_its_first_event_is_repeated() -> None:
    event = b"event: transcript.text.delta\ndata: {}\n\n"
    got, bodies, error = await answer([b"event: tran", BREAK], [event], endpoint=TRANSCRIPTIONS)
    assert (got, len(bodies), error) == (event, 2, None)


async def test_event_that_is_no_chunk_passes_and_then_a_break_cannot_be_healed() -> None:
    strange = b'data: {"choices": "of another kind"}\n\n'
    assert (await answer([HELLO, strange, END]))[0] == HELLO + strange + END
    got, _, error = await answer([HELLO, strange, BREAK], [HELLO, END])
    assert got == HELLO + strange
    assert error is not None


async def test_event_of_broken_json_is_not_given_out_and_the_answer_goes_on() -> None:
    got, bodies, error = await answer([HELLO, b'data: {"choices":[{"del\n\n', BREAK], [HELLO, END])
    assert error is None
    assert got == HELLO + END
    assert len(bodies) == 2


async def test_stream_ends_in_the_middle_of_an_event_goes_on() -> None:
    got, _, error = await answer([HELLO, b'data: {"choices":[{"del'], [HELLO, END])
    assert (got, error) == (HELLO + END, None)


async def test_events_after_the_end_are_not_given_out() -> None:
    assert (await answer([HELLO, END, HELLO, END]))[0] == HELLO + END


async def test_event_names_are_dropped_and_what_has_only_a_name_too() -> None:
    stream = [b"event: evil\n" + HELLO, b"event: evil\n\n", b": ping\n\n", END]
    assert (await answer(stream))[0] == HELLO + b": ping\n\n" + END


async def test_two_choices_are_complete_only_when_both_have_ended() -> None:
    other = HELLO.replace(b'"index":0', b'"index":1')
    last = END.replace(b'"index":0', b'"index":1')
    first_end = END.removesuffix(b"data: [DONE]\n\n")
    got, bodies, error = await answer(
        [HELLO, first_end, BREAK], [HELLO, other, first_end, last], body={"stream": True, "n": 2}
    )
    assert error is None
    assert got.count(b"Hello") == 2
    assert got.count(b'"finish_reason"') == 2, "each choice ends once"
    assert got.endswith(b"data: [DONE]\n\n")
    assert bodies[0] == bodies[1], "with the same seed"


@pytest.mark.parametrize("seed", [None, -1, 2**32 - 1])
async def test_stream_without_a_seed_gets_one_so_that_a_replay_says_the_same(seed: int | None) -> None:
    _, bodies, _ = await answer([HELLO, BREAK], [HELLO, END], body={"stream": True, "seed": seed})
    assert bodies[0] == bodies[1]
    assert 0 <= bodies[0]["seed"] < 2**31


async def test_stream_with_a_seed_keeps_it() -> None:
    _, bodies, _ = await answer([HELLO, END], body={"stream": True, "seed": 7})
    assert bodies == [{"stream": True, "seed": 7}]
