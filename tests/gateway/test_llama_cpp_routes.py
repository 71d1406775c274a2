"""llama-server's own routes: which model they are for, what they check, and what of a process they show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.harness import (
    MODEL,
    SLASHED,
    Gateway,
    RawResponse,
    Script,
    SomeModels,
    SomeServers,
    running_gateway,
    send,
)

JSON = {"Content-Type": "application/json"}
INFILL = {"input_prefix": "a", "input_suffix": "b"}


async def post(gateway: Gateway, path: str, body: object) -> RawResponse:
    return await send(gateway, "POST", path, {}, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("path", "endpoint", "body"),
    [
        ("/tokenize", "/tokenize", {"content": "hi", "with_pieces": True}),
        ("/v1/tokenize", "/tokenize", {"content": ["hi", 5]}),
        ("/detokenize", "/detokenize", {"tokens": [0, 2**31 - 1]}),
        ("/v1/detokenize", "/detokenize", {"tokens": []}),
        ("/apply-template", "/apply-template", {"messages": []}),
        ("/infill", "/infill", INFILL | {"input_extra": [{"text": "x", "filename": "y"}], "prompt": "z"}),
        ("/completion", "/completion", {"prompt": "hi", "n_predict": -1}),
        ("/completions", "/completion", {"prompt": [1, 2, 3]}),
        ("/props", "/props", {"new": 1}),
        ("/slots/3?action=erase", "/slots/3?action=erase", {}),
        ("/slots/0?action=save", "/slots/0?action=save", {"filename": "one.bin"}),
    ],
)
async def test_request_reaches_the_engine_of_the_model_it_names(path: str, endpoint: str, body: dict[str, Any]) -> None:
    async with running_gateway() as gateway:
        separator = "&" if "?" in path else "?"
        assert (await post(gateway, path, body | {"model": "m"})).status == 200
        assert (await post(gateway, f"{path}{separator}model=m", body)).status == 200
        by_body, by_query = gateway.inference.requests
    assert {(request.model, request.endpoint, request.method) for request in (by_body, by_query)} == {
        ("m", endpoint, "POST")
    }
    assert (by_body.body, by_query.body) == (body | {"model": "m"}, body)


@pytest.mark.parametrize("path", ["/props", "/slots", "/lora-adapters"])
async def test_look_asks_the_engine_by_get(path: str) -> None:
    async with running_gateway(Script([b"[]"], headers=JSON)) as gateway:
        response = await send(gateway, "GET", f"{path}?model=m")
        (request,) = gateway.inference.requests
    assert (response.status, response.body) == (200, b"[]")
    assert (request.method, request.endpoint, request.body, request.form) == ("GET", path, {}, None)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/props", None),
        ("GET", "/slots", None),
        ("GET", "/lora-adapters", None),
        ("POST", "/props", b"{}"),
        ("POST", "/slots/0?action=erase", b""),
        ("POST", "/lora-adapters", b"[]"),
    ],
)
async def test_look_at_a_model_that_is_not_loaded_does_not_load_it(method: str, path: str, body: bytes | None) -> None:
    query = ("&" if "?" in path else "?") + "model=org/model:Q4"
    async with running_gateway() as gateway:
        response = await send(gateway, method, path + query, {}, body)
        assert (response.status, response.error()["code"]) == (400, "model_not_loaded")
        assert response.error()["param"] == "model"
        assert gateway.inference.requests == []
        assert (await send(gateway, method, f"{path}{query}&autoload=true", {}, body)).status == 200
        assert [request.model for request in gateway.inference.requests] == ["org/model:Q4"]


async def test_name_that_shares_a_running_server_is_loaded() -> None:
    servers = SomeServers(MODEL, also=[SLASHED.alias])
    async with running_gateway(Script([b"[]"], headers=JSON), servers=servers) as gateway:
        assert (await send(gateway, "GET", "/slots?model=org/model:Q4")).status == 200


async def test_model_not_named_is_the_one_that_is_loaded() -> None:
    async with running_gateway() as gateway:
        assert (await post(gateway, "/tokenize", {"content": "x"})).status == 200
        assert (await send(gateway, "GET", "/slots")).status == 200
        assert [request.model for request in gateway.inference.requests] == ["m", "m"]


async def test_model_not_named_is_the_only_one_that_is_known() -> None:
    async with running_gateway(models=SomeModels(SLASHED), servers=SomeServers()) as gateway:
        assert (await post(gateway, "/tokenize", {"content": "x"})).status == 200
        assert [request.model for request in gateway.inference.requests] == [SLASHED.alias]


@pytest.mark.parametrize("servers", [SomeServers(), SomeServers(MODEL, SLASHED)], ids=["none loaded", "two loaded"])
async def test_model_not_named_among_several_is_asked_for(servers: SomeServers) -> None:
    async with running_gateway(servers=servers) as gateway:
        response = await post(gateway, "/tokenize", {"content": "x"})
    assert (response.status, response.error()["param"]) == (400, "model")


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("/tokenize", {}, "content"),
        ("/tokenize", {"content": 7}, "content"),
        ("/tokenize", {"content": "x", "model": 7}, "model"),
        ("/detokenize", {}, "tokens"),
        ("/detokenize", {"tokens": "1"}, "tokens"),
        ("/detokenize", {"tokens": [-7]}, "tokens"),
        ("/v1/detokenize", {"tokens": [2**40]}, "tokens"),
        ("/v1/detokenize", {"tokens": ["a"]}, "tokens"),
        ("/apply-template", {"messages": "hi"}, "messages"),
        ("/infill", {"input_prefix": "a"}, "input_suffix"),
        ("/infill", INFILL | {"input_extra": {}}, "input_extra"),
        ("/infill", INFILL | {"n_discard": -1}, "n_discard"),
        ("/infill", INFILL | {"stream": 1}, "stream"),
        ("/infill", INFILL | {"prompt": [-1]}, "prompt"),
        ("/completion", {}, "prompt"),
        ("/completion", {"prompt": "x", "n_discard": -1}, "n_discard"),
        ("/completion", {"prompt": "x", "n_keep": 2**31}, "n_keep"),
        ("/completion", {"prompt": "x", "typical_p": 1e300}, "typical_p"),
        ("/completion", {"prompt": "x", "seed": 2**70}, "seed"),
        ("/infill", INFILL | {"mirostat_tau": 1e300}, "mirostat_tau"),
        ("/completions", {"prompt": "x", "id_slot": -2}, "id_slot"),
        ("/completion", {"prompt": [-1]}, "prompt"),
        ("/props", {"n_predict": -5}, "n_predict"),
        ("/slots/x?action=erase", {}, "id_slot"),
        ("/slots/-1?action=erase", {}, "id_slot"),
        ("/slots/99999999999999999999999999?action=erase", {}, "id_slot"),
        ("/slots/0", {}, "action"),
        ("/slots/0?action=explode", {}, "action"),
        ("/slots/0?action=save", {}, "filename"),
        ("/slots/0?action=save", {"filename": 7}, "filename"),
        ("/lora-adapters", [{"scale": 1}], "id"),
        ("/lora-adapters", [{"id": -1, "scale": 1}], "id"),
        ("/lora-adapters", [{"id": 0, "scale": "1"}], "scale"),
        ("/lora-adapters", {}, None),
        ("/lora-adapters", [1], None),
        ("/tokenize", [], None),
    ],
)
async def test_field_at_fault_is_named(path: str, body: object, param: str | None) -> None:
    async with running_gateway() as gateway:
        response = await post(gateway, path, body)
        assert gateway.inference.requests == []
    assert (response.status, response.error()["param"]) == (400, param)


@pytest.mark.parametrize("action", ["save", "restore"])
@pytest.mark.parametrize(
    "name", ["../x", "/etc/passwd", "a/b", "a\\b", "..", ".hidden", "C:x", "a\0b", "a\n", "", "x" * 101, "é"]
)
async def test_slot_file_that_leads_out_of_its_folder_is_refused(action: str, name: str) -> None:
    """CVE-2024-37032 and its like: a path made of remote text."""
    async with running_gateway() as gateway:
        response = await post(gateway, f"/slots/0?action={action}", {"filename": name})
        assert gateway.inference.requests == []
    assert (response.status, response.error()["param"]) == (400, "filename")


async def test_adapters_reach_the_engine_as_a_list() -> None:
    async with running_gateway() as gateway:
        assert (await post(gateway, "/lora-adapters", [{"id": 0, "scale": 0.5, "new": 1}])).status == 200
        (request,) = gateway.inference.requests
    assert request.form is not None
    assert request.form.content_type == "application/json"
    assert json.loads(request.form.content) == [{"id": 0, "scale": 0.5, "new": 1}]


@pytest.mark.parametrize("path", ["/home/somebody/models/m.gguf", "C:\\Users\\somebody\\m.gguf", "m.gguf"])
async def test_paths_of_this_machine_are_not_shown(path: str) -> None:
    said = json.dumps({"model_path": path, "total_slots": 4, "chat_template": "/not/a/path"})
    async with running_gateway(Script([said.encode()], headers=JSON)) as gateway:
        response = await send(gateway, "GET", "/props")
    assert response.json() == {"model_path": "m.gguf", "total_slots": 4, "chat_template": "/not/a/path"}
    adapters = json.dumps([{"id": 0, "path": path, "scale": 1.0}])
    async with running_gateway(Script([adapters.encode()], headers=JSON)) as gateway:
        response = await send(gateway, "GET", "/lora-adapters")
    assert response.json() == [{"id": 0, "path": "m.gguf", "scale": 1.0}]


async def test_infill_streams() -> None:
    async with running_gateway() as gateway:
        response = await post(gateway, "/infill", INFILL | {"stream": True})
    assert response.headers["content-type"] == "text/event-stream"


@pytest.mark.parametrize("path", ["/detokenize", "/v1/detokenize"])
async def test_token_beyond_the_vocabulary_is_the_clients_fault(path: str) -> None:
    """llama-server answers 500 with the text of a C++ exception."""
    thrown = (
        b'{"error":{"code":500,"message":"vector::_M_range_check: __n (which is 2147483646)","type":"server_error"}}'
    )
    async with running_gateway(Script([thrown], status=500, headers={"Content-Type": "application/json"})) as gateway:
        response = await send(gateway, "POST", path, {}, b'{"model":"m","tokens":[2147483646]}')
    assert (response.status, response.error()["param"]) == (400, "tokens")
    assert b"vector" not in response.body
