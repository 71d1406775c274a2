"""Slots and context of a server, asked of the fake engine: once at its start, and while somebody looks closely."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from llamero.application import Application, running
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.settings_file import load_settings
from llamero.models.inference import InferenceRequest
from llamero.models.metrics import ServerMetrics
from tests.fakes.launch import fake_engine, journal

BODY: dict[str, object] = {"messages": [{"role": "user", "content": "Hello"}], "stream": True}
SETTINGS = (
    '[engine]\npath = "{program}"\narguments = ["--ctx-size 4096 --parallel 2"]\n[metrics]\nactive_interval_s = 0.25\n'
)


class House:
    """Llamero with the fake engine, which writes slowly and for long."""

    def __init__(self, tmp_path: Path, **switches: Any) -> None:
        self.engine = fake_engine(tmp_path / "engine", words=100_000, tokens_per_second=300, **switches)
        self.paths = find_paths(tmp_path / "home")
        self.paths.data_dir.mkdir()
        self.paths.settings_file.write_text(SETTINGS.format(program=self.engine.command[0]))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Application]:
        async with running(self.paths, load_settings(self.paths.settings_file, {}, {})) as app:
            await app.metrics.start()
            yield app

    def times_asked(self, path: str) -> int:
        return sum(event["path"] == path for event in journal(self.engine, "request"))


async def server_of(app: Application) -> ServerMetrics:
    (server,) = (await app.llama.get_metrics()).servers
    return server


async def test_slots_and_context_are_told_while_somebody_looks_closely(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running() as app, app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
        pieces = aiter(reply)
        seen: list[ServerMetrics] = []
        with app.metrics.watch(closely=True) as samples:
            async for _ in samples:
                await anext(pieces)
                seen.append(await server_of(app))
                if len(seen) > 2 and (seen[-1].context_tokens or 0) > (seen[-2].context_tokens or 0) > 0:
                    break
                assert len(seen) < 60, seen
        assert (seen[-1].slots_busy, seen[-1].slots, seen[-1].context_limit) == (1, 2, 4096)
        assert house.times_asked("/slots") >= 2
        # Whether it is the one that was started is seen by two looks at this; what it says there is known from then on.
        assert house.times_asked("/props") == 2


async def test_nobody_who_looks_closely_means_that_no_slots_are_asked_for(tmp_path: Path) -> None:
    house = House(tmp_path)
    async with house.running() as app, app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
        pieces = aiter(reply)
        with app.metrics.watch() as samples:
            for _ in range(4):
                await anext(samples)
                await anext(pieces)
        server = await server_of(app)
        assert (server.slots_busy, server.slots, server.context_limit) == (1, 2, 4096)
        assert house.times_asked("/slots") == 0


async def test_engine_without_slots_and_one_that_hangs_delay_no_sample(tmp_path: Path) -> None:
    for number, switch in enumerate(("no_slots", "slots_hang")):
        place = tmp_path / str(number)
        place.mkdir()
        house = House(place, **{switch: True})
        async with house.running() as app:
            async with app.inference.stream(InferenceRequest(model="demo", body=BODY)) as reply:
                pieces = aiter(reply)
                with app.metrics.watch(closely=True) as samples:
                    for _ in range(5):
                        await anext(samples)
                        await anext(pieces)
                assert (await server_of(app)).slots_busy == 1, switch
            assert house.times_asked("/slots") == 1, switch
