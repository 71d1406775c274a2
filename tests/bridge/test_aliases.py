"""The names that the user gave, as the page edits and lists them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bridge.harness import Bridge, running_bridge
from tests.fakes.hub_cache import write_model


async def ask(bridge: Bridge, command: str, **arguments: object) -> tuple[int, Any]:
    response = await bridge.call(command, arguments)
    return response.status, response.json()


async def test_alias_is_saved_told_to_every_window_and_deleted(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        alias = {"type": "user", "name": "house", "file": "/models/m.gguf", "context_length": 64}
        status, saved = await ask(bridge, "save_alias", alias=alias)
        assert status == 200
        assert saved["alias"]["context_length"] == 64
        assert saved["notices"] == ["So far there is no model /models/m.gguf."]
        (told,) = (await page.until(lambda frame: frame.get("ev") == "aliases"))["d"]
        assert told["name"] == "house"
        status, renamed = await ask(bridge, "save_alias", alias={**alias, "name": "home"}, former="house")
        assert (status, renamed["alias"]["name"]) == (200, "home")
        fallback = {"type": "fallback", "name": "any", "targets": ["home", "nothing"]}
        status, saved = await ask(bridge, "save_alias", alias=fallback)
        assert saved["notices"] == ["So far there is nothing called nothing."]
        status, listed = await ask(bridge, "list_aliases")
        assert [one["name"] for one in listed] == ["home", "any"]
        status, deleted = await ask(bridge, "delete_alias", name="home")
        assert deleted["notices"] == ["home is still a target of any."]
        status, error = await ask(bridge, "delete_alias", name="home")
        assert (status, error["code"]) == (404, "not_found")


async def test_alias_that_comes_back_stands_where_it_was(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        aliases = [{"type": "user", "name": name, "file": "/models/m.gguf"} for name in ("a", "b", "c")]
        for alias in aliases:
            await ask(bridge, "save_alias", alias=alias)
        await ask(bridge, "delete_alias", name="b")
        assert (await ask(bridge, "save_alias", alias=aliases[1], place=1))[0] == 200
        assert [one["name"] for one in (await ask(bridge, "list_aliases"))[1]] == ["a", "b", "c"]
        assert (await ask(bridge, "save_alias", alias=aliases[1], place=-1))[0] == 400


async def test_conditions_have_the_key_of_every_server_and_the_targets_that_are_left_alone(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        api = {"type": "api", "name": "far", "base_url": "https://far.example", "models": ["m"]}
        await ask(bridge, "save_alias", alias=api, key="sk-secret")
        await ask(bridge, "save_alias", alias={"type": "user", "name": "house", "file": "/models/m.gguf"})
        status, conditions = await ask(bridge, "get_alias_conditions")
    assert status == 200
    assert conditions == {
        "keys": {"far": "rejected"},
        "paused": [{"name": "far/m", "until": 7.5, "reason": "it answered 429"}],
    }


async def test_alias_that_cannot_be_is_refused_with_the_field_at_fault(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        api = {"type": "api", "name": "far", "base_url": "https://far.example", "models": ["m"]}
        status, error = await ask(bridge, "save_alias", alias={**api, "base_url": "https://me:pw@far.example"})
        assert (status, error["code"], error["data"]["param"]) == (400, "invalid_request", "base_url")
        status, error = await ask(bridge, "save_alias", alias={**api, "headers": {"Authorization": "x"}})
        assert (status, error["code"]) == (400, "invalid_request")
        status, saved = await ask(bridge, "save_alias", alias=api, key="sk-secret")
        assert status == 200
        assert "sk-secret" not in json.dumps(saved)


async def test_snapshot_has_every_kind_of_model_and_only_local_ones_are_described(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        file = write_model(tmp_path / "m.gguf")
        await ask(bridge, "save_alias", alias={"type": "user", "name": "house", "file": str(file), "threads": 2})
        await ask(bridge, "save_alias", alias={"type": "user", "name": "gone", "hub": "o/r:Q4_0"})
        await ask(bridge, "save_alias", alias={"type": "fallback", "name": "any", "targets": ["house"]})
        api = {"type": "api", "name": "far", "base_url": "https://far.example", "prefix": "f/", "models": ["m"]}
        await ask(bridge, "save_alias", alias=api)
        await ask(bridge, "add_model_file", path=str(file))
        _, snapshot = await ask(bridge, "get_snapshot")
        assert [(one["alias"], one["kind"], one["missing"], one["threads"]) for one in snapshot["models"]] == [
            ("house", "user", False, 2),
            ("gone", "user", True, None),
            ("any", "fallback", False, None),
            ("m", "model", False, None),
            ("f/m", "api", False, None),
        ]


async def test_parameters_of_a_user_alias_are_changed_in_the_alias(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        file = write_model(tmp_path / "m.gguf")
        alias = {"type": "user", "name": "house", "file": str(file), "arguments": ["--top-k 5"]}
        await ask(bridge, "save_alias", alias=alias)
        status, info = await ask(bridge, "change_model", alias="house", context_length=128)
        assert (status, info["kind"], info["context_length"]) == (200, "user", 128)
        (kept,) = (await ask(bridge, "list_aliases"))[1]
        assert (kept["context_length"], kept["arguments"]) == (128, ["--top-k 5"])
        status, error = await ask(bridge, "start_model", alias="nothing")
        assert (status, error["code"]) == (404, "model_not_found")
