"""When the disk is looked at, who waits for it, and what the catalog makes of what was found."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from llamero.models.aliases import ApiModel, LocalDestination, RemoteDestination, UserAlias
from llamero.models.errors import ModelFileNotFound, ModelNotFound
from llamero.models.model_files import FileLook, FoundModels, ModelFile
from llamero.services.aliases import AliasBook
from llamero.services.catalog import ModelCatalog
from llamero.services.discovery import INTERVAL_S, ModelDiscovery
from llamero.services.routing import Router
from tests.fakes.aliases import MemoryStorage
from tests.fakes.clock import FakeClock
from tests.process.support import eventually

LOOK = FileLook(size_bytes=10, modified=1_700_000_000)


def model(name: str, path: str = "", *, from_hub: bool = False, projector: str = "") -> ModelFile:
    return ModelFile(name=name, path=path or f"/found/{name}.gguf", look=LOOK, from_hub=from_hub, projector=projector)


class FakeDisk:
    """A disk that a test fills. It answers when `answers` is set."""

    def __init__(self, *models: ModelFile) -> None:
        self.models = models
        self.asked: list[tuple[str, ...]] = []
        self.answers = threading.Event()
        self.answers.set()
        self.error: Exception | None = None

    def look(self, others: Iterable[str] = ()) -> FoundModels:
        self.asked.append(tuple(others))
        assert self.answers.wait(10)
        if self.error is not None:
            raise self.error
        return FoundModels(self.models, dict.fromkeys(self.asked[-1], LOOK))


class World:
    """A router over a catalog and a disk, with a clock moved by hand."""

    def __init__(self, disk: FakeDisk, *aliases: UserAlias | ApiModel, patience_s: float = 10.0) -> None:
        self.clock = FakeClock()
        self.catalog = ModelCatalog()
        self.discovery = ModelDiscovery(disk, self.catalog, self.clock, patience_s=patience_s)
        self.router = Router(self.catalog, AliasBook(MemoryStorage(*aliases)), discovery=self.discovery)

    async def names(self) -> list[str]:
        return [listed.id for listed in await self.router.listed()]


async def test_disk_is_looked_at_when_names_are_listed_at_most_every_few_seconds() -> None:
    disk = FakeDisk(model("a"))
    world = World(disk)
    assert disk.asked == [], "not before somebody asks"
    assert await world.names() == ["a"]
    disk.models = (model("a"), model("b"))
    assert await world.names() == ["a"]
    assert len(disk.asked) == 1
    world.clock.advance(INTERVAL_S)
    assert await world.names() == ["a", "b"]
    disk.models = ()
    world.clock.advance(INTERVAL_S)
    assert await world.names() == []


async def test_known_name_asks_no_disk_and_a_new_one_is_looked_for() -> None:
    disk = FakeDisk(model("a"))
    world = World(disk)
    world.catalog.add_file(Path("/opened.gguf"))
    await world.router.resolve("opened")
    assert disk.asked == []
    assert isinstance(await world.router.resolve("a"), LocalDestination)
    with pytest.raises(ModelNotFound):
        await world.router.resolve("b")
    disk.models = (model("b"),)
    world.clock.advance(INTERVAL_S)
    assert isinstance(await world.router.resolve("b"), LocalDestination)


async def test_disk_that_does_not_answer_is_waited_for_a_moment_and_the_last_known_models_are_used(
    caplog: pytest.LogCaptureFixture,
) -> None:
    disk = FakeDisk(model("a"))
    world = World(disk, patience_s=0.05)
    await world.discovery.refresh()
    disk.answers.clear()
    world.clock.advance(INTERVAL_S)
    assert await world.names() == ["a"]
    world.clock.advance(INTERVAL_S)
    assert await world.names() == ["a"]
    assert len(disk.asked) == 2, "never twice at once"
    disk.answers.set()
    await eventually(lambda: world.discovery._looking is None)
    disk.error = RuntimeError("of ours")
    world.clock.advance(INTERVAL_S)
    assert await world.names() == ["a"]
    assert "looking for models failed unexpectedly" in caplog.text


async def test_remote_name_waits_for_the_first_look_only() -> None:
    disk = FakeDisk(model("far/m"))
    api = ApiModel(name="far", base_url="https://far.example", prefix="far/", forward_all=True)
    world = World(disk, api)
    assert isinstance(await world.router.resolve("far/m"), LocalDestination), "models come before remote servers"
    disk.answers.clear()
    world.clock.advance(INTERVAL_S)
    assert isinstance(await world.router.resolve("far/other"), RemoteDestination)
    assert len(disk.asked) == 2, "looking goes on meanwhile"
    disk.answers.set()
    await eventually(lambda: world.discovery._looking is None)


async def test_found_files_of_one_name_get_a_number_and_an_opened_one_keeps_its_alias() -> None:
    world = World(FakeDisk(model("m", "/x/m.gguf"), model("m", "/y/m.gguf"), model("n", "/opened/n.gguf")))
    world.catalog.add_file(Path("/z/m.gguf"))
    world.catalog.add_file(Path("/opened/n.gguf"))
    assert await world.names() == ["m", "n", "m-2", "m-3"]
    assert world.catalog.config("m-2").model.path == "/x/m.gguf"


async def test_parameters_of_a_found_model_stay_when_it_is_found_again() -> None:
    disk = FakeDisk(model("m"))
    world = World(disk)
    await world.names()
    world.catalog.change("m", context_length=64)
    world.clock.advance(INTERVAL_S)
    disk.models = (model("m"), model("n"))
    assert await world.names() == ["m", "n"]
    assert world.catalog.config("m").context_length == 64


async def test_hub_alias_leads_to_the_file_with_its_projector_however_its_name_is_written() -> None:
    hub = model("Owner/Repo:Q4_K_M", "/hub/m-Q4_K_M.gguf", from_hub=True, projector="/hub/mm proj.gguf")
    disk = FakeDisk(model("Owner/Repo:Q2_K", from_hub=True), hub)
    aliases = [UserAlias(name=name, hub=name, arguments=("--top-k 5",)) for name in ("owner/repo:q4_k_m", "Owner/Repo")]
    world = World(disk, *aliases, UserAlias(name="gone", hub="Owner/Repo:Q8_0"))
    for alias in aliases:
        destination = await world.router.resolve(alias.name)
        assert isinstance(destination, LocalDestination)
        assert destination.config.model.path == hub.path
        assert destination.config.arguments == ("--mmproj", '"/hub/mm proj.gguf"', "--top-k 5")
    with pytest.raises(ModelFileNotFound):
        await world.router.resolve("gone")


async def test_listed_models_tell_when_their_files_were_made_and_that_they_embed() -> None:
    disk = FakeDisk(model("m"))
    world = World(disk, UserAlias(name="house", file="/house.gguf", embedding=True))
    house, found = await world.router.listed()
    assert (house.created, house.size_bytes, house.embedding) == (LOOK.modified, LOOK.size_bytes, True)
    assert (found.created, found.size_bytes, found.embedding) == (LOOK.modified, LOOK.size_bytes, False)
    assert await world.router.find("m") == found


async def test_watchers_are_told_when_something_else_is_found() -> None:
    disk = FakeDisk(model("m"))
    world = World(disk)
    told: list[int] = []
    world.discovery.watch(lambda: told.append(len(world.catalog.models())))
    for models in ((model("m"),), (model("m"),), ()):
        disk.models = models
        world.clock.advance(INTERVAL_S)
        await world.discovery.refresh()
    assert told == [1, 0]
