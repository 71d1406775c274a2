"""Models in Ollama's dialect: their names, how long they are kept, what is said of them, and what they embed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llamero.models.access import Scope
from llamero.models.errors import ModelDoesNotEmbed
from llamero.services.access import AccessService
from tests.fakes.clock import FakeClock
from tests.gateway.harness import SLASHED, OneServer, Script, SomeModels, running_gateway, send
from tests.gateway.test_access import Keys, bearer, key, keyed_gateway
from tests.gateway.test_ollama_routes import ANSWER, BOTH, CHAT, GENERATE, STREAMED, ask, error_of


@pytest.mark.parametrize("name", ["m", "m:latest"])
@pytest.mark.parametrize("path", ["/api/chat", "/api/generate", "/api/show"])
async def test_ollama_latest_finds_the_model(path: str, name: str) -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        response = await ask(gateway, path, CHAT | GENERATE | {"model": name, "stream": False})
        asked = [request.model for request in gateway.inference.requests]
        bodies = [request.body["model"] for request in gateway.inference.requests]
    assert response.status == 200
    if path != "/api/show":
        assert (asked, bodies) == (["m"], ["m"])
        assert response.json()["model"] == name, "a client looks for the name that it has asked for"


async def test_ollama_latest_that_is_a_name_of_its_own_stays() -> None:
    models = SomeModels(SLASHED, SLASHED.__class__("m:latest", "/x"))
    async with running_gateway(models=models) as gateway:
        assert (await ask(gateway, "/api/show", {"model": "m:latest"})).status == 200
        assert (await ask(gateway, "/api/show", {"name": SLASHED.alias})).status == 200
        assert (await ask(gateway, "/api/show", {"model": "m"})).status == 404


@pytest.mark.parametrize(("written", "seconds"), [("5m", 300.0), (0, 0.0), (-1, -1.0), (None, None)], ids=str)
@BOTH
async def test_ollama_keep_alive_counts_for_the_request(
    written: Any, seconds: float | None, path: str, body: dict[str, Any]
) -> None:
    async with running_gateway(Script(ANSWER)) as gateway:
        await ask(gateway, path, body | {"keep_alive": written})
        assert [request.keep_alive_s for request in gateway.inference.requests] == [seconds]


@STREAMED
@pytest.mark.parametrize(
    ("path", "empty"), [("/api/chat", {"messages": []}), ("/api/generate", {"prompt": ""})], ids=str
)
@pytest.mark.parametrize(
    ("keep_alive", "asked", "reason"),
    [
        ({}, ("load", "m"), "load"),
        ({"keep_alive": "-1s"}, ("load", "m", -1.0), "load"),
        ({"keep_alive": 0}, ("unload", "m"), "unload"),
        ({"keep_alive": "0s"}, ("unload", "m"), "unload"),
    ],
    ids=str,
)
async def test_ollama_request_without_anything_to_answer_loads_or_unloads(
    path: str, empty: dict[str, Any], keep_alive: dict[str, Any], asked: Any, reason: str, stream: bool
) -> None:
    servers = OneServer()
    async with running_gateway(servers=servers) as gateway:
        response = await ask(gateway, path, {"model": "m:latest", "stream": stream, **empty, **keep_alive})
        assert gateway.inference.requests == []
    assert servers.asked == [asked]
    document = response.json()
    assert (document["done"], document["done_reason"], document["model"]) == (True, reason, "m:latest")


EMBEDDED = {
    "data": [{"embedding": [0.5, 1], "index": 1}, {"embedding": [0.25, 0], "index": 0}],
    "usage": {"prompt_tokens": 9},
}


def embedding(document: Any) -> Script:
    return Script([json.dumps(document).encode()], 200, {"Content-Type": "application/json"})


async def test_ollama_embed_keeps_the_order_of_the_texts() -> None:
    async with running_gateway(embedding(EMBEDDED)) as gateway:
        asked = {"model": "m", "input": ["a", "b"], "dimensions": 2, "keep_alive": 5, "truncate": True}
        document = (await ask(gateway, "/api/embed", asked)).json()
        (request,) = gateway.inference.requests
    assert document.pop("total_duration") >= 0
    assert document == {
        "model": "m",
        "embeddings": [[0.25, 0.0], [0.5, 1.0]],
        "prompt_eval_count": 9,
        "load_duration": 0,
    }
    assert request.endpoint == "/v1/embeddings"
    assert request.body == {"model": "m", "input": ["a", "b"], "encoding_format": "float", "dimensions": 2}
    assert request.keep_alive_s == 5


async def test_ollama_embed_has_the_dimensions_that_were_asked_for() -> None:
    long = {"data": [{"embedding": [0.48, 0.64, 0.6], "index": 0}]}
    async with running_gateway(embedding(long)) as gateway:
        few = await ask(gateway, "/api/embed", {"model": "m", "input": "a", "dimensions": 2})
        many = await ask(gateway, "/api/embed", {"model": "m", "input": "a", "dimensions": 9})
    assert few.json()["embeddings"] == [pytest.approx([0.6, 0.8])]
    assert many.json()["embeddings"] == [[0.48, 0.64, 0.6]]


async def test_ollama_embeddings_has_one_vector() -> None:
    one = {"data": [{"embedding": [0.5, 1], "index": 0}]}
    async with running_gateway(embedding(one)) as gateway:
        response = await ask(gateway, "/api/embeddings", {"model": "m", "prompt": "a"})
    assert response.json() == {"embedding": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/api/embed", {"input": []}, {"embeddings": []}),
        ("/api/embeddings", {}, {"embedding": []}),
    ],
)
async def test_ollama_embedding_of_nothing_loads_the_model(path: str, body: Any, expected: dict[str, Any]) -> None:
    servers = OneServer()
    async with running_gateway(servers=servers) as gateway:
        document = (await ask(gateway, path, {"model": "m", **body})).json()
    assert servers.asked == [("load", "m")]
    assert document.items() >= expected.items()


@pytest.mark.parametrize("path", ["/api/embed", "/api/embeddings"])
async def test_ollama_model_that_does_not_embed_says_so(path: str) -> None:
    async with running_gateway(Script(refuse=ModelDoesNotEmbed(model="m", param="model"))) as gateway:
        response = await ask(gateway, path, {"model": "m", "input": "a", "prompt": "a"})
    assert response.status == 400
    assert error_of(response)["code"] == "model_does_not_embed"


@pytest.mark.parametrize("document", [[], {"data": []}, {"data": [{"embedding": "x", "index": 0}]}], ids=str)
async def test_ollama_embeddings_that_are_none_are_an_error(document: Any) -> None:
    async with running_gateway(embedding(document)) as gateway:
        response = await ask(gateway, "/api/embed", {"model": "m", "input": "a"})
    assert response.status == 502
    error_of(response)


async def test_ollama_lists_shows_and_tells_what_is_loaded() -> None:
    async with running_gateway() as gateway:
        tags = (await send(gateway, "GET", "/api/tags")).json()["models"]
        shown = (await ask(gateway, "/api/show", {"model": "m"})).json()
        loaded = (await send(gateway, "GET", "/api/ps")).json()["models"]
    assert [model["name"] for model in tags] == ["m", "org/model:Q4"]
    assert (tags[0]["size"], tags[1]["size"]) == (1000, 0)
    assert tags[0]["details"]["quantization_level"] == "Q4_K_M"
    assert shown["capabilities"] == ["completion", "tools"]
    assert shown["model_info"]["llama.context_length"] == 4096
    (model,) = loaded
    assert (model["name"], model["size"], model["size_vram"]) == ("m", 1000, 0)
    assert model["context_length"] == 8192
    assert model["digest"] == tags[0]["digest"]
    assert model["expires_at"].endswith("Z")
    assert "somebody" not in json.dumps([tags, shown, loaded])


async def test_ollama_unload_takes_a_key_that_may_manage() -> None:
    unload = {"model": "m", "keep_alive": 0}
    async with keyed_gateway(key("i"), key("m", Scope.INFERENCE, Scope.MANAGEMENT)) as gateway:
        refused = await ask(gateway, "/api/generate", unload, **bearer("i"))
        assert refused.status == 403
        error_of(refused)
        assert (await ask(gateway, "/api/generate", unload, **bearer("m"))).status == 200


@pytest.mark.parametrize(
    ("headers", "may_shorten"), [({}, True), (bearer("m"), True), (bearer("i"), False)], ids=["nobody", "m", "i"]
)
@BOTH
async def test_ollama_keep_alive_of_a_key_that_may_not_manage_lets_no_model_go(
    headers: dict[str, str], may_shorten: bool, path: str, body: dict[str, Any]
) -> None:
    """Unloading is for others to feel: the question is answered, and the model stays for as long as its alias says."""
    keys = (key("i"), key("m", Scope.INFERENCE, Scope.MANAGEMENT))
    async with keyed_gateway(*keys, script=Script(ANSWER), required=False) as gateway:
        answered = await ask(gateway, path, body | {"keep_alive": 0}, **headers)
        (request,) = gateway.inference.requests
    assert answered.status == 200
    assert (request.keep_alive_s, request.may_shorten) == (0.0, may_shorten)


async def test_ollama_load_of_a_key_that_may_not_manage_shortens_nothing() -> None:
    servers = OneServer()
    access = AccessService(Keys(key("i")), FakeClock(), required=True)
    async with running_gateway(servers=servers, access=access) as gateway:
        asked = {"model": "m", "keep_alive": "1ms"}
        assert (await ask(gateway, "/api/generate", asked, **bearer("i"))).status == 200
    assert (servers.asked, servers.may_shorten) == ([("load", "m", 0.001)], False)
    await access.close()
