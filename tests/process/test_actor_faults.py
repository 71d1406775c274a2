"""What an engine can do to the actor: die, hang, talk too much, lose its port. Named after the table of faults."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from aiohttp import web

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.llama.server import PORT_ATTEMPTS, LlamaServer
from llamero.models.errors import EngineFailed, EngineNotFound, HealthCheckFailed, StartTimedOut
from llamero.models.llama import Engine, EngineKind, ServerPhase
from tests.fakes.launch import fake_engine, journal, starts
from tests.process.support import eventually, involved, is_running, running_spawner
from tests.process.world import chat, spec_for, world

NOTICED_S = 0.25
ALWAYS_AGAIN = {"crash_limit": 10_000, "backoff_s": (0.0,)}


async def test_child_sigkilled_idle_is_noticed_and_restarted(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world(**ALWAYS_AGAIN) as w:
        await w.actor.load(spec_for(engine))
        psutil.Process(w.pid()).kill()
        await w.until(ServerPhase.STARTING, timeout_s=NOTICED_S)
        await w.until(ServerPhase.READY)
        server = w.server()
        assert server is not None
        assert (server.generation, server.restarts) == (2, 1)


async def test_child_sigkilled_starting_fails_with_its_status(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=60.0)
    async with world() as w:
        loading = asyncio.create_task(w.actor.load(spec_for(engine)))
        (entry,) = await eventually(lambda: journal(engine, "loading"))
        psutil.Process(entry["pid"]).kill()
        await w.until(ServerPhase.FAILED, timeout_s=NOTICED_S)
        with pytest.raises(EngineFailed) as caught:
            await loading
        assert caught.value.exit_status == -9


async def test_child_sigkilled_streaming_is_noticed_and_the_stream_continues(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=60, tokens_per_second=200.0)
    async with world(**ALWAYS_AGAIN) as w:
        undisturbed = await w.ask(spec_for(engine))
        asking = asyncio.create_task(w.ask(spec_for(engine)))
        await eventually(lambda: len([e for e in journal(engine, "request") if e["path"].endswith("completions")]) == 2)
        psutil.Process(w.pid()).kill()
        await w.until(ServerPhase.STARTING, timeout_s=NOTICED_S)
        result = await asking
        result.assert_well_formed()
        assert result.text == undisturbed.text


async def test_child_dies_while_starting_fails_at_once_with_exit_status_and_last_lines(tmp_path: Path) -> None:
    lines = ["gguf_init_from_file: invalid magic characters", "main: exiting due to model loading error"]
    engine = fake_engine(tmp_path, exit_while_loading=1, last_lines=lines)
    async with world() as w:
        with pytest.raises(EngineFailed) as caught:
            await w.actor.load(spec_for(engine))
        assert caught.value.exit_status == 1
        assert list(caught.value.log_tail[-2:]) == lines
        assert "GGUF" in str(caught.value.arguments["reason"])
        assert starts(engine) == 1
        server = w.server()
        assert server is not None
        assert server.phase is ServerPhase.FAILED
        assert server.failure is not None
        assert server.failure.log_tail == caught.value.log_tail


async def test_child_clean_exit_while_starting_is_a_failure_too(tmp_path: Path) -> None:
    async with world() as w:
        with pytest.raises(EngineFailed) as caught:
            await w.actor.load(spec_for(fake_engine(tmp_path, exit_while_loading=0)))
        assert caught.value.exit_status == 0


@pytest.mark.parametrize("switches", [{"never_ready": True}, {"health_hangs": True}], ids=str)
async def test_child_never_gets_ready_times_out_and_leaves_nothing(switches: dict[str, Any], tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, silent=True, **switches)
    async with world(start_timeout_s=0.3) as w:
        with pytest.raises(StartTimedOut):
            await w.actor.load(spec_for(engine))
        assert w.phase() is ServerPhase.FAILED
        assert not any(is_running(pid) for pid in involved(engine))


async def test_child_that_says_too_early_that_it_listens_is_ready_when_it_is(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, announces_early=True, load_seconds=0.3)
    async with world() as w:
        await w.actor.load(spec_for(engine))
        assert journal(engine, "ready")
        assert starts(engine) == 1


async def test_child_that_loads_longer_than_the_timeout_but_writes_is_waited_for(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, load_seconds=3.5, flood_mb_per_s=0.5)
    async with world(start_timeout_s=2.0) as w:
        await w.actor.load(spec_for(engine))
        assert w.phase() is ServerPhase.READY


async def test_three_crashes_in_the_window_refuse_until_a_person_starts_it(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with world(crash_limit=3, backoff_s=(0.0,)) as w:
        spec = spec_for(engine)
        await w.actor.load(spec)
        for generation in (1, 2, 3):
            await eventually(lambda g=generation: (s := w.server()) and s.generation == g and s.pid)
            psutil.Process(w.pid()).kill()
        await w.until(ServerPhase.FAILED)
        with pytest.raises(EngineFailed) as caught:
            await w.actor.acquire(spec)
        assert (caught.value.code, caught.value.exit_status) == ("server_error-crash_loop", -9)
        assert caught.value.log_tail
        assert starts(engine) == 3
        await w.actor.load(spec)
        assert w.phase() is ServerPhase.READY


ROUGH: dict[str, dict[str, Any]] = {
    "child ignores SIGTERM": {"ignore_sigterm": True},
    "forks a grandchild": {"fork": ["same_session", "own_session", "double_fork"]},
    "floods stdout": {"flood_mb_per_s": 40.0, "flood_stream": "stdout"},
    "writes a 10 MB line": {"long_line_mb": 10.0},
    "stopped by a signal when ready": {"stop_itself": True},
}


@pytest.mark.parametrize("fault", ROUGH)
async def test_rough_child_stops_within_the_grace_and_memory_stays_flat(fault: str, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, words=40, **ROUGH[fault])
    grace_s = 0.5
    async with world(stop_grace_s=grace_s, start_timeout_s=5.0) as w:
        memory = psutil.Process().memory_info().rss
        if "stop_itself" in ROUGH[fault]:
            loading = asyncio.create_task(w.actor.load(spec_for(engine)))
            await eventually(lambda: journal(engine, "ready"))
        else:
            result = await w.ask(spec_for(engine))
            result.assert_well_formed()
            loading = asyncio.create_task(w.actor.load(spec_for(engine)))
            await loading
        if "long_line_mb" in ROUGH[fault]:
            lease = await w.actor.acquire(spec_for(engine))
            tail = await eventually(lambda: [line for line in lease.server.log_tail() if "after the long" in line])
            assert tail == ["after the long line"]
            assert max(map(len, lease.server.log_tail())) <= 8 * 1024 + 64
            lease.release()
        began = time.monotonic()
        await w.actor.unload()
        assert time.monotonic() - began < grace_s + 1.0
        await asyncio.gather(loading, return_exceptions=True)
        assert not any(is_running(pid) for pid in involved(engine))
        assert psutil.Process().memory_info().rss - memory < 24 * 1024 * 1024


async def test_port_stolen_once_costs_a_second_attempt(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, [{"port_stolen": True}])
    async with world() as w:
        (await w.ask(spec_for(engine))).assert_well_formed()
        assert starts(engine) == 2


async def test_port_stolen_always_fails_with_the_reason(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, port_stolen=True)
    async with world() as w:
        with pytest.raises(EngineFailed) as caught:
            await w.actor.load(spec_for(engine))
        assert caught.value.exit_status == 1
        assert "couldn't bind" in "\n".join(caught.value.log_tail)
        assert starts(engine) == PORT_ATTEMPTS


async def test_port_answered_by_a_program_that_does_not_know_the_key_is_not_taken_for_ours(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, status={"/props": 404})
    async with world() as w:
        with pytest.raises(HealthCheckFailed):
            await w.actor.load(spec_for(engine))
        assert starts(engine) == PORT_ATTEMPTS


@asynccontextmanager
async def another_program() -> AsyncIterator[int]:
    """A server that answers 200 to everything, such as a development server does."""

    async def fine(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", fine)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("always", [False, True])
async def test_port_stolen_by_a_program_that_answers_health_is_never_used(always: bool, tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with running_spawner() as spawner, another_program() as stolen:
        ports = [stolen] * (PORT_ATTEMPTS if always else 1)
        server = LlamaServer(
            spec_for(engine),
            spawner=spawner,
            clock=SystemClock(),
            choose_port=lambda: ports.pop() if ports else free_port(),
        )
        if always:
            with pytest.raises((EngineFailed, HealthCheckFailed)):
                await server.start()
        else:
            await server.start()
            assert server.port != stolen
            assert await server.health()
        await server.stop()
        assert spawner.children == ()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("kind", ["missing", "not executable", "directory"])
async def test_engine_that_cannot_be_started_is_named(kind: str, tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    if kind == "not executable":
        program.write_text("#!/bin/sh\n")
    elif kind == "directory":
        program.mkdir()
    engine = Engine(kind=EngineKind.SETTINGS, command=(str(program),))
    async with world() as w:
        with pytest.raises(EngineNotFound) as caught:
            await w.actor.load(spec_for(engine))
        assert caught.value.arguments["path"] == str(program)
        assert caught.value.code.endswith("exec_not_exists" if kind == "missing" else "exec_not_executable")


async def test_environment_of_the_user_does_not_reach_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMA_ARG_CTX_SIZE", "17")
    monkeypatch.setenv("LLAMA_API_KEY", "the user's own")
    engine = fake_engine(tmp_path)
    async with world() as w:
        await w.ask(spec_for(engine), chat(max_tokens=1))
        variables = psutil.Process(w.pid()).environ()
        assert "LLAMA_ARG_CTX_SIZE" not in variables
        assert variables["LLAMA_ARG_HOST"] == "127.0.0.1"
        assert variables["LLAMA_API_KEY"] != "the user's own"
