"""Where names lead. `tests/vectors/routing.json` holds the cases that every router must answer alike."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from llamero.models.aliases import (
    Alias,
    AliasKind,
    ApiModel,
    FallbackAlias,
    FallbackDestination,
    ListedModel,
    LocalDestination,
    RemoteDestination,
    UserAlias,
)
from llamero.models.errors import ModelFileNotFound, ModelNotFound
from llamero.models.llama import LlamaCppConfig, ModelId
from llamero.services.aliases import AliasBook
from llamero.services.catalog import ModelCatalog
from llamero.services.routing import Router, upstream_name
from tests.fakes.aliases import MemoryStorage

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "vectors" / "routing.json").read_text(encoding="utf-8")
)
FILE = str(Path("/of/m.gguf").absolute())


class ToldNames:
    """A remote server that says what it has."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def known(self, api: ApiModel) -> Sequence[str]:
        return self._names[:1]

    async def names(self, api: ApiModel) -> Sequence[str]:
        return self._names


def router(*aliases: Alias, files: Sequence[str] = (), remote: Sequence[str] = ()) -> Router:
    catalog = ModelCatalog()
    for file in files:
        catalog.add_file(Path(file))
    return Router(catalog, AliasBook(MemoryStorage(*aliases)), remote_names=ToldNames(*remote))


def api(name: str = "far", **fields: Any) -> ApiModel:
    return ApiModel(name=name, base_url="https://far.example/v1", **fields)


@pytest.mark.parametrize("case", VECTORS["api_match"], ids=lambda case: f"{case['prefix']}{case['name']}")
async def test_api_match(case: dict[str, Any]) -> None:
    remote = api(
        prefix=case["prefix"] or "", models=tuple(case.get("models", ())), forward_all=case.get("forward_all", False)
    )
    wanted = case["upstream"] if case["match"] else None
    assert upstream_name(remote, case["name"]) == wanted
    if wanted is None:
        with pytest.raises(ModelNotFound):
            await router(remote).resolve(case["name"])
    else:
        assert await router(remote).resolve(case["name"]) == RemoteDestination(
            alias=case["name"], api=remote, upstream=wanted
        )


async def test_name_of_everybody_leads_to_the_user_alias_then_the_model_then_the_first_remote() -> None:
    user = UserAlias(name="m", file="/of/alias.gguf")
    first, second = api("one", models=("m",)), api("two", models=("m", "n"))
    local = await router(first, user, second, files=[FILE]).resolve("m")
    assert isinstance(local, LocalDestination)
    assert local.config.model.path == "/of/alias.gguf"
    local = await router(first, second, files=[FILE]).resolve("m")
    assert isinstance(local, LocalDestination)
    assert local.config.model.path == FILE
    remote = await router(first, second).resolve("m")
    assert isinstance(remote, RemoteDestination)
    assert remote.api == first


async def test_user_alias_leads_to_its_file_with_everything_it_asks_for() -> None:
    alias = UserAlias(
        name="house", file="/m.gguf", defaults={"temperature": 0.1}, system_prompt="Be brief.", context_length=2048,
        gpu_layers=-1, threads=3, parallel=2, embedding=True, arguments=("--top-k 5",), keep_alive_s=7.0,
        rpc=("box:50052", "nook:50052"),
    )  # fmt: skip
    assert await router(alias).resolve("house") == LocalDestination(
        alias="house",
        config=LlamaCppConfig(
            model=ModelId("house", "/m.gguf"), context_length=2048, gpu_layers=-1, threads=3, parallel=2,
            embedding=True, arguments=("--top-k 5",), keep_alive_s=7.0, rpc=("box:50052", "nook:50052"),
        ),
        defaults={"temperature": 0.1},
        system_prompt="Be brief.",
    )  # fmt: skip


async def test_fallback_leads_to_its_targets_in_their_order() -> None:
    fallback = FallbackAlias(name="any", targets=("b", "a"), cooldown_s=5.0)
    assert await router(fallback).resolve("any") == FallbackDestination(alias="any", targets=("b", "a"), cooldown_s=5.0)


async def test_alias_of_a_hub_file_that_is_not_here_says_so() -> None:
    alias = UserAlias(name="house", hub="owner/repository:Q4_0")
    with pytest.raises(ModelFileNotFound):
        await router(alias).resolve("house")
    assert (await router(alias).find("house")).path == ""


async def test_label_of_a_remote_is_no_name_of_a_model() -> None:
    with pytest.raises(ModelNotFound):
        await router(api("far", models=("m",))).resolve("far")


async def test_list_has_every_name_once_in_the_order_of_looking() -> None:
    listed = await router(
        api("one", prefix="o/", models=("x", "y")),
        UserAlias(name="m", file="/m.gguf"),
        api("two", prefix="o/", models=("y", "z"), forward_all=True),
        FallbackAlias(name="any", targets=("m",)),
        files=["/m.gguf", "/n.gguf"],
        remote=["z", "told"],
    ).listed()
    assert [(model.id, model.kind, model.owned_by) for model in listed] == [
        ("m", AliasKind.USER, "llamero"),
        ("any", AliasKind.FALLBACK, "llamero"),
        ("n", AliasKind.MODEL, "llamero"),
        ("o/x", AliasKind.API, "one"),
        ("o/y", AliasKind.API, "one"),
        ("o/z", AliasKind.API, "two"),
        ("o/told", AliasKind.API, "two"),
    ]


@pytest.mark.parametrize(
    ("arguments", "sees"),
    [
        ((), False),
        (("--mmproj", "/p.gguf"), True),
        (("--mmproj /p.gguf",), True),
        (("-mm", "/p.gguf"), True),
        (("--mmproj=/p.gguf",), True),
        (("--no-mmproj",), False),
        (("--mmproj-url", "x"), True),
        (("--mmproj-offload",), False),
    ],
)
async def test_model_with_a_projector_is_listed_as_one_that_sees(arguments: tuple[str, ...], sees: bool) -> None:
    alias = UserAlias(name="m", file="/m.gguf", arguments=arguments)
    assert (await router(alias).find("m")).sees is sees


@pytest.mark.parametrize(("everywhere", "sees"), [((), False), (("--mmproj /p.gguf",), True)])
async def test_model_sees_by_the_flags_that_every_model_is_run_with(everywhere: tuple[str, ...], sees: bool) -> None:
    catalog = ModelCatalog()
    config = catalog.add_file(Path("/m.gguf"))
    names = Router(catalog, engine_arguments=everywhere)
    assert (await names.find("m")).sees is names.sees(config) is sees


async def test_every_listed_name_is_found_and_an_unlisted_one_of_forward_all_too() -> None:
    found = router(
        UserAlias(name="m", file="/m.gguf"), api(prefix="o/", models=("a/b:c",), forward_all=True), files=["/n.gguf"]
    )
    for model in await found.listed():
        assert await found.find(model.id) == model
    assert await found.find("o/any/thing") == ListedModel(id="o/any/thing", kind=AliasKind.API, owned_by="far")
    with pytest.raises(ModelNotFound):
        await found.find("nothing")


async def test_unknown_names_are_told_for_a_warning() -> None:
    known = router(UserAlias(name="m", file="/m.gguf"), UserAlias(name="h", hub="o/r:Q4"))
    assert await known.unknown(["m", "h", "nothing"]) == ("h", "nothing")


async def test_list_that_does_not_wait_has_what_remote_servers_have_said_already() -> None:
    known = router(api("far", prefix="f/", models=("m",), forward_all=True), remote=["said", "not yet"])
    assert [model.id for model in await known.listed(wait=False)] == ["f/m", "f/said"]


async def test_names_of_a_remote_server_that_could_pass_for_something_else_are_left_out() -> None:
    hostile = ["good", "bad\nname", "\u202egpj", " ", "x" * 300]
    known = router(api("far", prefix="f/", forward_all=True), remote=hostile)
    assert [model.id for model in await known.listed()] == ["f/good"]


async def test_configurations_are_those_of_every_model_on_this_machine() -> None:
    known = router(
        UserAlias(name="m", file="/of/alias.gguf", context_length=64),
        UserAlias(name="gone", hub="o/r:Q4"),
        FallbackAlias(name="any", targets=("m",)),
        api("far", prefix="f/", models=("m",)),
        files=["/m.gguf", "/n.gguf"],
    )
    configs = await known.configurations()
    assert configs.keys() == {"m", "n"}
    assert (configs["m"].model.path, configs["m"].context_length) == ("/of/alias.gguf", 64)
