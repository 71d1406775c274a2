"""The actor with real engine processes: starting, stopping, switching, queueing, and leaving nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from llamero.models.errors import Unavailable
from llamero.models.events import Start, Stop
from llamero.models.inference import CHAT
from llamero.models.llama import Engine, ServerPhase
from llamero.services.llama.answer import open_answer
from llamero.services.llama.lease import Lease
from tests.fakes.launch import fake_engine, journal, starts
from tests.process.support import eventually, involved, is_running, resources
from tests.process.world import World, chat, read, spec_for, world

READY, STARTING, STOPPING = ServerPhase.READY, ServerPhase.STARTING, ServerPhase.STOPPING


def nothing_runs(engine: Engine) -> bool:
    return not any(is_running(pid) for pid in involved(engine))


async def test_fifty_concurrent_acquires_start_one_child_and_each_is_answered_once(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=0.1)
    async with world() as w:
        leases = await asyncio.gather(*(w.actor.acquire(spec_for(engine)) for _ in range(50)))
        assert starts(engine) == 1
        assert len({lease.id for lease in leases}) == 50
        assert {lease.server.pid for lease in leases} == {w.pid()}
        for lease in leases:
            lease.release()
            lease.release()
        await eventually(lambda: (s := w.server()) is not None and s.leases == 0)


async def test_load_of_a_ready_model_continues(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        await w.actor.load(spec_for(engine))
        assert starts(engine) == 1


async def test_key_travels_by_environment_and_never_on_the_command_line(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        (started,) = journal(engine, "started")
        assert started["has_key"]
        process = psutil.Process(w.pid())
        key = process.environ()["LLAMA_API_KEY"]
        assert len(key) >= 43
        assert not any(key in token for token in process.cmdline())


async def test_stop_during_start_ends_both_and_leaves_nothing(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=60.0)
    async with world() as w:
        loading = asyncio.create_task(w.actor.load(spec_for(engine)))
        await eventually(lambda: journal(engine, "loading"))
        await w.actor.unload()
        assert w.phase() is None
        assert nothing_runs(engine)
        with pytest.raises(Unavailable) as caught:
            await loading
        assert caught.value.code == "server_error-stopped_by_user"


@pytest.mark.parametrize("turns", range(1, 13))
async def test_stop_at_any_moment_of_the_spawn_leaves_nothing(turns: int, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=60.0)
    async with world() as w:
        loading = asyncio.create_task(w.actor.load(spec_for(engine)))
        for _ in range(turns):
            await asyncio.sleep(0)
        await w.actor.unload()
        with pytest.raises(Unavailable):
            await loading
        assert w.phase() is None
        assert w.spawner.children == ()


async def test_start_during_stop_starts_again_when_the_old_one_is_gone(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, [{"exit_delay_s": 0.3}])
    async with world() as w:
        await w.actor.load(spec_for(engine))
        old = w.pid()
        unloading = asyncio.create_task(w.actor.unload())
        await w.until(STOPPING)
        await w.actor.load(spec_for(engine))
        assert not is_running(old)
        assert w.phase() is READY
        await unloading
        assert starts(engine) == 2


async def test_switch_waits_for_the_lease(tmp_path: Path) -> None:
    one, other = fake_engine(tmp_path / "one"), fake_engine(tmp_path / "other")
    async with world() as w:
        lease = await w.actor.acquire(spec_for(one, "one"))
        switching = asyncio.create_task(w.actor.acquire(spec_for(other, "other")))
        await eventually(lambda: w.actor.snapshot.waiting == 1)
        assert w.phase("one") is READY
        assert starts(other) == 0
        lease.release()
        (await switching).release()
        assert w.phase("one") is None
        assert nothing_runs(one)


async def test_switch_lets_a_running_stream_end(tmp_path: Path) -> None:
    one = fake_engine(tmp_path / "one", words=30, tokens_per_second=100.0)
    other = fake_engine(tmp_path / "other")
    async with world() as w:
        streaming = asyncio.create_task(w.ask(spec_for(one, "one")))
        await eventually(lambda: journal(one, "request")[-1:] and (s := w.server("one")) and s.leases)
        result = await w.ask(spec_for(other, "other"))
        result.assert_well_formed()
        whole = await streaming
        whole.assert_well_formed()
        assert len(whole.text.split()) == 30
        assert whole.continuations + whole.replays == 0


async def test_changed_arguments_drop_and_load(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        await w.actor.load(spec_for(engine, arguments=("--ctx-size", "512")))
        assert starts(engine) == 2
        assert len(w.spawner.children) == 1


@pytest.mark.parametrize("keep_alive_s", [0.0, 0.1])
async def test_keep_alive_over_unloads_the_model(keep_alive_s: float, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        (await w.actor.acquire(spec_for(engine, keep_alive_s=keep_alive_s))).release()
        await w.until(None)
        assert nothing_runs(engine)
        await eventually(lambda: [type(event) for event in w.events] == [Start, Stop])


async def test_expire_waits_for_the_last_request_and_leaves_nothing(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        lease = await w.actor.acquire(spec_for(engine))
        await w.actor.expire(spec_for(engine))
        assert w.phase() is READY
        lease.release()
        await w.actor.expire(spec_for(engine))
        assert w.phase() is None
        assert nothing_runs(engine)


async def test_cancelled_callers_leave_no_lease_and_no_place_in_the_queue(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=0.1)
    async with world() as w:
        callers = [asyncio.create_task(w.actor.acquire(spec_for(engine))) for _ in range(20)]
        await eventually(lambda: w.actor.snapshot.waiting == 20)
        for caller in callers[::2]:
            caller.cancel()
        leases = [await caller for caller in callers[1::2]]
        assert (server := w.server()) is not None
        assert server.leases == len(leases) == 10
        assert w.actor.snapshot.waiting == 0


@pytest.mark.parametrize("turns", range(6))
async def test_caller_cancelled_at_the_moment_of_the_grant_leaves_no_lease(turns: int, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        caller = asyncio.create_task(w.actor.acquire(spec_for(engine)))
        for _ in range(turns):
            await asyncio.sleep(0)
        caller.cancel()
        for lease in await asyncio.gather(caller, return_exceptions=True):
            if isinstance(lease, Lease):
                lease.release()
        await w.actor.load(spec_for(engine))
        await eventually(lambda: (s := w.server()) is not None and s.leases == 0)


async def test_full_queue_refuses_with_the_time_to_wait(tmp_path: Path) -> None:
    spec = spec_for(fake_engine(tmp_path))
    async with world(queue_limit=1, concurrency=1) as w:
        lease = await w.actor.acquire(spec)
        waiting = asyncio.create_task(w.actor.acquire(spec))
        await eventually(lambda: w.actor.snapshot.waiting == 1)
        with pytest.raises(Unavailable) as caught:
            await w.actor.acquire(spec)
        assert caught.value.code == "server_error-queue_full"
        assert caught.value.retry_after
        lease.release()
        (await waiting).release()


@pytest.mark.parametrize("stream", [True, False])
async def test_stop_by_a_person_ends_the_answer_with_a_typed_error_and_restarts_nothing(
    stream: bool, tmp_path: Path
) -> None:
    engine = fake_engine(tmp_path, words=1000, tokens_per_second=50.0)
    async with world() as w:
        asking = asyncio.create_task(w.ask(spec_for(engine), chat(stream=stream)))
        await eventually(lambda: [e for e in journal(engine, "request") if e["path"] == CHAT])
        await w.actor.unload()
        with pytest.raises(Unavailable) as caught:
            await asking
        assert caught.value.code == "server_error-stopped_by_user"
        assert w.phase() is None
        assert starts(engine) == 1
        assert journal(engine, "exits"), "it could end by itself, since its clients were gone"


@pytest.mark.parametrize("stubborn", [False, True])
async def test_close_with_streams_open_leaves_nothing(stubborn: bool, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=1000, tokens_per_second=50.0, ignore_sigterm=stubborn)
    async with world(stop_grace_s=0.3) as w:
        streams = [asyncio.create_task(w.ask(spec_for(engine))) for _ in range(5)]
        await eventually(lambda: len([e for e in journal(engine, "request") if e["path"] == CHAT]) == 5)
        await asyncio.gather(w.actor.close(), w.actor.close())
        assert nothing_runs(engine)
        results = await asyncio.gather(*streams, return_exceptions=True)
        assert {(type(r), getattr(r, "code", "")) for r in results} == {(Unavailable, "server_error-shutting_down")}
        with pytest.raises(Unavailable):
            await w.actor.acquire(spec_for(engine))


async def test_close_that_is_cancelled_goes_on(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, exit_delay_s=0.3)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        closing = asyncio.create_task(w.actor.close())
        await w.until(STOPPING)
        closing.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await w.actor.close()
        assert nothing_runs(engine)


async def test_two_hundred_rounds_of_start_and_stop_leak_nothing(tmp_path: Path) -> None:
    models = 4
    engines = [fake_engine(tmp_path / str(number)) for number in range(models)]

    async def rounds(w: World, number: int, count: int) -> None:
        alias = str(number)
        spec = spec_for(engines[number], alias)
        for _ in range(count):
            async with open_answer(w.actor, spec, CHAT, chat(max_tokens=2)) as answer:
                (await read(answer)).assert_well_formed()
            await w.actor.unload(alias)

    async with world(max_loaded=models) as w:
        await rounds(w, 0, 2)  # what is made once is there after this
        before = await resources()
        await asyncio.gather(*(rounds(w, number, 200 // models) for number in range(models)))
        assert sum(starts(engine) for engine in engines) == 202
        assert w.spawner.children == ()
        assert all(nothing_runs(engine) for engine in engines)
        after = await resources()
        assert after == before
