"""Workers that share a model are asked before an engine is started with them, and only then."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.llama.rpc_workers import check_workers, workers_of
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import WorkerUnreachable
from llamero.models.llama import ServerPhase
from tests.fakes.launch import fake_engine, starts
from tests.process.world import spec_for, world


@asynccontextmanager
async def worker() -> AsyncIterator[tuple[str, list[None]]]:
    """A worker that takes connections and counts them."""
    taken: list[None] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(None)
        await reader.read()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}", taken


@contextmanager
def silent_worker() -> Iterator[str]:
    """An address whose queue of connections is full, so that a further one is never answered."""
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(8):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield f"127.0.0.1:{listening.getsockname()[1]}"


def closed_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return f"127.0.0.1:{probe.getsockname()[1]}"


def test_workers_are_read_off_the_arguments() -> None:
    arguments = ("--ctx-size", "64", "--rpc", "a:1,[::1]:2", "--threads", "2", "--rpc", "c:3")
    assert workers_of(arguments) == ("a:1", "[::1]:2", "c:3")
    assert workers_of(("--threads", "2")) == ()


async def test_worker_that_answers_is_asked_at_the_start_and_not_at_each_request(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with worker() as (address, taken), world() as w:
        spec = spec_for(engine, arguments=("--rpc", address))
        await w.ask(spec)
        await w.ask(spec)
        assert w.phase() is ServerPhase.READY
        assert len(taken) == 1


async def test_worker_that_does_not_listen_is_named_and_no_engine_is_started(tmp_path: Path) -> None:
    engine, gone = fake_engine(tmp_path), closed_address()
    async with worker() as (address, _), world() as w:
        with pytest.raises(WorkerUnreachable) as caught:
            await w.ask(spec_for(engine, arguments=("--rpc", f"{address},{gone}")))
        assert w.phase() is ServerPhase.FAILED
    assert starts(engine) == 0
    assert caught.value.arguments["worker"] == gone
    assert default_messages().error(caught.value).startswith(f"The machine {gone}, which should share the model, does")


async def test_worker_that_comes_later_is_used_by_the_next_request(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    address = closed_address()
    async with world() as w:
        spec = spec_for(engine, arguments=("--rpc", address))
        with pytest.raises(WorkerUnreachable):
            await w.ask(spec)
        host, _, port = address.rpartition(":")
        async with await asyncio.start_server(lambda _, writer: writer.close(), host, int(port)):
            assert (await w.ask(spec)).status == 200


async def test_silent_workers_are_all_waited_for_at_once() -> None:
    with silent_worker() as first, silent_worker() as second:
        began = time.monotonic()
        with pytest.raises(WorkerUnreachable) as caught:
            await check_workers(("--rpc", f"{first},{second}"), patience_s=0.3)
        assert 0.25 < time.monotonic() - began < 2.0
    assert caught.value.arguments == {"worker": first, "reason": "no answer within 0.3 s"}


@pytest.mark.parametrize("address", ["host", "127.0.0.1:x", "127.0.0.1:99999", "no-such-host.invalid:1", ":"])
async def test_address_that_is_none_is_named(address: str) -> None:
    with pytest.raises(WorkerUnreachable) as caught:
        await check_workers(("--rpc", address))
    assert caught.value.arguments["worker"] == address
