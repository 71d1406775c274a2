"""The list of models as windows are told it: at once what is known, later what was found, while somebody looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from llamero.bridge.hub import Hub
from llamero.bridge.model_infos import ModelInfos
from llamero.bridge.model_list import INTERVAL_S, REMOTE_LIMIT, ModelList
from llamero.infrastructure.model_headers import ModelHeaders
from llamero.models.aliases import AliasKind, ListedModel
from llamero.models.errors import IoFailed
from llamero.models.llama import LlamaCppConfig, ModelId
from tests.bridge.harness import eventually, read_fake_header
from tests.fakes.clock import FakeClock


class FakeNames:
    """Names that a test sets; a look at the disk finds `found` besides."""

    def __init__(self) -> None:
        self.known: list[ListedModel] = [ListedModel(id="m", path="/m.gguf")]
        self.found: list[ListedModel] = []
        self.looks = 0
        self.glances = 0
        self.error: IoFailed | None = None

    async def listed(self, *, wait: bool = True) -> Sequence[ListedModel]:
        self.looks += wait
        self.glances += not wait
        if self.error is not None:
            raise self.error
        return [*self.known, *(self.found if wait else [])]

    async def configurations(self) -> Mapping[str, LlamaCppConfig]:
        return {"m": LlamaCppConfig(model=ModelId("m", "/m.gguf"), threads=2)}


class RecordingHub(Hub):
    """Keeps what was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[list[str]] = []

    def event(self, name: str, payload: Any, **_: Any) -> None:
        assert name == "models"
        self.told.append([model.alias for model in payload])


@asynccontextmanager
async def following() -> AsyncIterator[tuple[FakeNames, RecordingHub, FakeClock, ModelList]]:
    names, hub, clock = FakeNames(), RecordingHub(), FakeClock()
    models = ModelList(names, ModelInfos(ModelHeaders(read_fake_header)), hub, clock)
    task = asyncio.create_task(models.follow())
    yield names, hub, clock, models
    task.cancel()
    await asyncio.wait({task})


async def test_page_gets_what_is_known_without_a_look_at_the_disk() -> None:
    async with following() as (names, _, _, models):
        names.found = [ListedModel(id="found", path="/found.gguf")]
        (info,) = await models.now()
        assert (info.alias, info.threads, info.missing) == ("m", 2, True)
        assert names.looks == 0


async def test_window_that_comes_is_told_what_a_look_finds_and_nothing_is_done_without_one() -> None:
    async with following() as (names, hub, clock, models):
        names.found = [ListedModel(id="found", path="/found.gguf")]
        models.changed()
        await asyncio.sleep(0)
        assert (names.looks, hub.told) == (0, [])
        hub.connect("w")
        await eventually(lambda: hub.told == [["m", "found"]])
        assert await clock.remaining() == INTERVAL_S
        clock.advance(INTERVAL_S)
        await eventually(lambda: names.glances == 1)
        assert names.looks == 1, "time alone is no reason to ask remote servers"
        names.found = []
        models.changed()
        await eventually(lambda: names.looks == 2)
        assert hub.told[-1] == ["m"]


async def test_list_that_cannot_be_made_is_tried_again() -> None:
    async with following() as (names, hub, clock, _):
        names.error = IoFailed("storage_error-failed", path="", reason="")
        hub.connect("w")
        await eventually(lambda: names.looks == 1)
        await clock.remaining()
        names.error = None
        clock.advance(INTERVAL_S)
        await eventually(lambda: hub.told == [["m"]])


async def test_remote_server_with_thousands_of_models_fills_no_menu() -> None:
    async with following() as (names, _, _, models):
        names.known = [ListedModel(id=f"f/{number}", kind=AliasKind.API) for number in range(REMOTE_LIMIT + 100)]
        names.known.append(ListedModel(id="m", path="/m.gguf"))
        told = await models.now()
        assert len(told) == REMOTE_LIMIT + 1
        assert told[-1].alias == "m"
