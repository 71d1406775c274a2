"""Switching models: the next engine's process starts while the former one ends; no two models are loaded at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from llamero.models.errors import EngineFailed, Unavailable
from llamero.models.inference import CHAT
from llamero.models.llama import Engine, EngineKind, ServerPhase
from llamero.services.llama.answer import open_answer
from llamero.services.llama.lease import Lease
from tests.fakes.launch import fake_engine, journal, set_switches, starts
from tests.process.support import eventually, involved, is_running, resources
from tests.process.world import World, chat, read, spec_for, world


def holdable(directory: Path, **switches: object) -> Engine:
    return fake_engine(directory, kind=EngineKind.EMBEDDED, **switches)


def when(engine: Engine, event: str) -> float:
    """When the last process of the engine did that, in monotonic seconds."""
    at: float = journal(engine, event)[-1]["at"]
    return at


@asynccontextmanager
async def held(w: World, former: Engine, following: Engine) -> AsyncIterator[asyncio.Task[Lease]]:
    """`former` is asked to end and does not, `following` is held until it does, for whoever waits in the task."""
    set_switches(former, ignore_sigterm=True)
    (await w.actor.acquire(spec_for(former, "former"))).release()
    await w.until(ServerPhase.READY, "former")
    switching = asyncio.create_task(w.actor.acquire(spec_for(following, "following")))
    await eventually(lambda: journal(following, "held") and journal(former, "asked-to-end"))
    assert (w.phase("former"), w.phase("following")) == (ServerPhase.STOPPING, ServerPhase.STARTING)
    yield switching
    if not switching.done():
        (await switching).release()


async def test_switch_holds_the_next_model_until_the_former_process_is_gone(tmp_path: Path) -> None:
    former, following = fake_engine(tmp_path / "former"), holdable(tmp_path / "following")
    async with world(stop_grace_s=0.5) as w:
        async with held(w, former, following) as switching:
            first = w.server("former")
            assert first is not None and first.pid is not None
            assert is_running(first.pid)
            assert not journal(following, "loading")
            lease = await switching
            assert not is_running(first.pid)
            assert journal(following, "loading")
            assert lease.load is not None
            assert lease.load[0] > when(following, "held"), "to wait for room is not to load"
            lease.release()
        assert starts(following) == 1


async def test_switch_to_an_engine_that_cannot_be_held_starts_it_when_the_former_is_gone(tmp_path: Path) -> None:
    former, following = fake_engine(tmp_path / "former", exit_delay_s=0.3), fake_engine(tmp_path / "following")
    async with world() as w:
        (await w.actor.acquire(spec_for(former, "former"))).release()
        (await w.actor.acquire(spec_for(following, "following"))).release()
        assert when(former, "exits") < when(following, "started")
        assert not journal(following, "held")


async def test_switch_back_and_forth_never_has_two_models_loaded(tmp_path: Path) -> None:
    engines = [holdable(tmp_path / name, exit_delay_s=0.1) for name in ("one", "other")]

    async def ask(number: int) -> None:
        async with open_answer(w.actor, spec_for(engines[number], str(number)), CHAT, chat(max_tokens=2)) as answer:
            (await read(answer)).assert_well_formed()

    async with world() as w:
        await asyncio.gather(ask(0), ask(1))
        await w.actor.unload()
        before = await resources()
        for _ in range(10):
            await asyncio.gather(ask(0), ask(1))
        await w.actor.unload()
        assert await resources() == before
    lives = sorted((entry["at"], entry["event"]) for e in engines for entry in journal(e))
    loads = [event for _, event in lives if event in ("loading", "exits")]
    assert len(loads) >= 2 * 11
    assert loads == ["loading", "exits"] * (len(loads) // 2)


async def test_held_engine_that_dies_is_a_failure_with_its_status(tmp_path: Path) -> None:
    former, following = fake_engine(tmp_path / "former"), holdable(tmp_path / "following")
    async with world() as w, held(w, former, following) as switching:
        psutil.Process(journal(following, "held")[0]["pid"]).kill()
        with pytest.raises(EngineFailed) as caught:
            await switching
        assert caught.value.exit_status == -9
        assert w.phase("former") is ServerPhase.STOPPING


@pytest.mark.parametrize("alias", ["following", None], ids=["alone", "with all others"])
async def test_held_engine_that_a_person_stops_leaves_nothing(alias: str | None, tmp_path: Path) -> None:
    former, following = fake_engine(tmp_path / "former"), holdable(tmp_path / "following")
    async with world() as w, held(w, former, following) as switching:
        await w.actor.unload(alias)
        assert not any(is_running(pid) for pid in involved(following))
        with pytest.raises(Unavailable) as caught:
            await switching
        assert caught.value.code == "server_error-stopped_by_user"
        await w.until(None, "former")
        assert starts(following) == 1


async def test_held_engine_whose_actor_is_closed_leaves_nothing(tmp_path: Path) -> None:
    former, following = fake_engine(tmp_path / "former"), holdable(tmp_path / "following")
    async with world() as w, held(w, former, following) as switching:
        await w.actor.close()
        assert not any(is_running(pid) for pid in involved(following) | involved(former))
        with pytest.raises(Unavailable):
            await switching
