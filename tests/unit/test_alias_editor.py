"""What a person is told about an alias, and that a key goes to no other server than its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.gguf import read_header
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.model_files import ModelFiles
from llamero.infrastructure.storage.aliases import AliasStore
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import ApiModel, FallbackAlias, UserAlias
from llamero.models.errors import InvalidRequest, NotFound
from llamero.models.remote import KeyPlace
from llamero.services.alias_editor import AliasEditor, Notice
from llamero.services.aliases import AliasBook
from llamero.services.catalog import ModelCatalog
from llamero.services.discovery import ModelDiscovery
from llamero.services.routing import Router
from tests.fakes.aliases import MemoryKeys
from tests.fakes.hub_cache import write_model

API = ApiModel(name="far", base_url="https://far.example/v1", prefix="f/", models=("m",))


@asynccontextmanager
async def editing(tmp_path: Path) -> AsyncIterator[tuple[AliasEditor, MemoryKeys, AliasBook]]:
    database = await Database.open(tmp_path / "llamero.db")
    store, keys = AliasStore(database), MemoryKeys()
    book, catalog = AliasBook(store), ModelCatalog()
    scan = ModelFiles([tmp_path / "models"], None, read_header)
    router = Router(catalog, book, discovery=ModelDiscovery(scan, catalog, SystemClock()))
    yield AliasEditor(book, keys, router), keys, book
    await database.close()


async def test_key_is_kept_with_its_server_and_forgotten_with_it(tmp_path: Path) -> None:
    async with editing(tmp_path) as (editor, keys, _):
        assert (await editor.save(API, key="secret"))[1] == ()
        assert keys.keys == {"far": "secret"}
        await editor.save(replace(API, base_url="https://FAR.example:443/v2", models=("m", "n")))
        assert keys.keys == {"far": "secret"}, "another path or list is the same server"
        await editor.remove("far")
        assert keys.keys == {}


@pytest.mark.parametrize(
    "url", ["https://elsewhere.example/v1", "http://far.example/v1", "https://far.example:444/v1", "http://[::1]/"]
)
async def test_key_is_never_sent_to_another_server_than_it_was_given_for(tmp_path: Path, url: str) -> None:
    async with editing(tmp_path) as (editor, keys, _):
        await editor.save(API, key="secret")
        _, notices = await editor.save(replace(API, base_url=url))
        assert keys.keys == {}
        assert notices == (Notice("alias-key_forgotten", {"name": "far"}),)
        await editor.save(replace(API, base_url=url), key="other")
        assert keys.keys == {"far": "other"}


async def test_key_left_from_an_earlier_server_of_the_name_is_not_found_by_a_new_one(tmp_path: Path) -> None:
    async with editing(tmp_path) as (editor, keys, _):
        keys.keys["far"] = "of another time"
        await editor.save(API)
        assert keys.keys == {}


async def test_refused_change_leaves_the_key_alone(tmp_path: Path) -> None:
    async with editing(tmp_path) as (editor, keys, _):
        await editor.save(API, key="secret")
        with pytest.raises(InvalidRequest):
            await editor.save(replace(API, base_url="https://me:pw@elsewhere.example/v1"), key="other")
        with pytest.raises(InvalidRequest):
            await editor.save(UserAlias(name="far", file="/m.gguf"))
        assert keys.keys == {"far": "secret"}


async def test_renamed_server_takes_its_key_along(tmp_path: Path) -> None:
    async with editing(tmp_path) as (editor, keys, book):
        await editor.save(API, key="secret")
        await editor.rename("far", "near")
        assert keys.keys == {"near": "secret"}
        assert (await book.get("near")) == replace(API, name="near")
        with pytest.raises(NotFound):
            await editor.rename("far", "other")


async def test_person_is_told_where_the_key_is_without_a_keyring(tmp_path: Path) -> None:
    async with editing(tmp_path) as (editor, keys, _):
        keys.place = KeyPlace.FILE
        assert (await editor.save(API))[1] == ()
        assert (await editor.save(API, key="secret"))[1] == (Notice("alias-key_in_file"),)


async def test_person_is_told_what_may_be_a_slip_of_the_pen(tmp_path: Path) -> None:
    here = write_model(tmp_path / "elsewhere" / "m.gguf")
    write_model(tmp_path / "models" / "found.gguf")
    async with editing(tmp_path) as (editor, _, _):
        assert (await editor.save(UserAlias(name="here", file=str(here))))[1] == ()
        _, notices = await editor.save(UserAlias(name="gone", file="/gone.gguf"))
        assert notices == (Notice("alias-file_missing", {"file": "/gone.gguf"}),)
        _, notices = await editor.save(UserAlias(name="hub", hub="o/r:Q4_0"))
        assert notices == (Notice("alias-file_missing", {"file": "o/r:Q4_0"}),)
        _, notices = await editor.save(FallbackAlias(name="any", targets=("here", "found", "nothing", "nor this")))
        assert notices == (Notice("alias-targets_unknown", {"names": "nothing, nor this"}),)
        assert await editor.remove("here") == (Notice("alias-still_target", {"name": "here", "fallbacks": "any"}),)
        assert await editor.remove("any") == ()
    for notice in notices:
        assert default_messages().text(notice.code, notice.arguments) != notice.code
