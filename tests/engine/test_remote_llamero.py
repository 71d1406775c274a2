"""Two Llameros, each a `llamero serve` of its own: one asks the other's models, and does without it when it is gone."""

from __future__ import annotations

import asyncio
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llamero.infrastructure.remote_keys import FILE_NAME, RemoteKeys
from llamero.infrastructure.storage.aliases import AliasStore
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import Alias, ApiModel, FallbackAlias
from llamero.services.aliases import AliasBook
from tests.process.cli import Home, Serving, get, serving

KEY = "key-of-the-other-llamero"
QUESTION = [{"role": "user", "content": "What is a llama?"}]
GREEDY = {"messages": QUESTION, "temperature": 0, "max_tokens": 20}
# No keyring of the machine that the tests run on.
FILE_KEYS = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
DEAD = "http://127.0.0.1:1/v1"


@dataclass
class Pair:
    """Two running programs: `here` is asked, and knows `there` as a remote server."""

    here: int
    there: int
    other: Serving
    data: Path

    def ask(self, path: str, body: dict[str, Any], port: int = 0, key: str = "") -> tuple[int, bytes, dict[str, str]]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{port or self.here}{path}",
            json.dumps(body).encode(),
            {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}),
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read(), dict(response.headers)
        except urllib.error.HTTPError as error:
            return error.code, error.read(), dict(error.headers)

    def chat(self, model: str, **more: Any) -> tuple[int, bytes]:
        return self.ask("/v1/chat/completions", {"model": model, **GREEDY, **more})[:2]

    def text(self, model: str) -> str:
        status, body = self.chat(model)
        assert status == 200, body
        text: str = json.loads(body)["choices"][0]["message"]["content"]
        return text


async def keep(data: Path, aliases: list[Alias], key: str) -> None:
    """Write aliases and a key as another process of this Llamero would."""
    database = await Database.open(data / "llamero.db")
    store = AliasStore(database)
    try:
        book = AliasBook(store)
        for alias in aliases:
            await book.save(alias)
    finally:
        await database.close()
    await RemoteKeys(data, find_keyring=lambda: None).set("there", key)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[Pair]:
    there, here = Home(tmp_path_factory.mktemp("there")), Home(tmp_path_factory.mktemp("here"))
    for home in (there, here):
        (home.data / "models").mkdir(parents=True)
    shutil.copy(models_dir / "embed.gguf", there.data / "models")
    with serving(there, "--port", "0", env={"LLAMERO_API_KEY": KEY}) as other:
        port = other.port()
        base_url = f"http://127.0.0.1:{port}/v1"
        aliases: list[Alias] = [
            ApiModel(name="there", base_url=base_url, prefix="there/", forward_all=True),
            ApiModel(name="keyless", base_url=base_url, prefix="keyless/", models=("demo",)),
            ApiModel(name="dead", base_url=DEAD, models=("dead",)),
            FallbackAlias(name="careful", targets=("dead", "there/demo", "demo")),
        ]
        asyncio.run(keep(here.data, aliases, KEY))
        with serving(here, "--port", "0", env=FILE_KEYS) as server:
            yield Pair(server.port(), port, other, here.data)
            log = (here.data / "logs" / "llamero.log").read_text()
            assert "is left alone" in log
            assert KEY not in log


def test_llamero_elsewhere_answers_as_if_it_were_asked_itself(pair: Pair) -> None:
    body = {"model": "demo", **GREEDY}
    direct = json.loads(pair.ask("/v1/chat/completions", body, pair.there, KEY)[1])
    assert pair.text("there/demo") == direct["choices"][0]["message"]["content"]


def test_llamero_elsewhere_streams_its_answer(pair: Pair) -> None:
    status, body, headers = pair.ask("/v1/chat/completions", {"model": "there/demo", "stream": True, **GREEDY})
    assert (status, headers["Content-Type"].partition(";")[0]) == (200, "text/event-stream")
    events = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    assert events[-1] == b"[DONE]"
    deltas = [choice["delta"] for event in events[:-1] for choice in json.loads(event)["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == pair.text("there/demo")


def test_llamero_elsewhere_embeds(pair: Pair) -> None:
    status, body, _ = pair.ask("/v1/embeddings", {"model": "there/embed", "input": "llama"})
    assert status == 200, body
    assert json.loads(body)["data"][0]["embedding"]


def test_llamero_elsewhere_offers_its_models_under_the_prefix(pair: Pair) -> None:
    names = [model["id"] for model in get(pair.here, "/v1/models")[1]["data"]]
    assert {"demo", "there/demo", "there/embed", "keyless/demo", "careful"} <= set(names)


def test_llamero_elsewhere_refuses_who_has_no_key(pair: Pair) -> None:
    status, body = pair.chat("keyless/demo")
    assert (status, json.loads(body)["error"]["code"]) == (401, "invalid_api_key")


def test_llamero_elsewhere_that_does_not_know_the_model_says_so(pair: Pair) -> None:
    status, body = pair.chat("there/nobody")
    assert (status, json.loads(body)["error"]["code"]) == (404, "model_not_found")


def test_llamero_elsewhere_that_is_gone_is_an_error_with_its_address(pair: Pair) -> None:
    status, body = pair.chat("dead")
    error = json.loads(body)["error"]
    assert (status, error["code"]) == (502, "remote_error-unreachable")
    assert "127.0.0.1:1" in error["message"]


@pytest.mark.parametrize("model", ["there/demo", "careful"])
def test_llamero_elsewhere_answers_responses_that_are_kept_here(pair: Pair, model: str) -> None:
    answers: list[dict[str, Any]] = []
    for question in ("What is a llama?", "And now?"):
        previous = answers[-1]["id"] if answers else None
        asked = {"model": model, "input": question, "previous_response_id": previous, "temperature": 0}
        status, body, _ = pair.ask("/v1/responses", asked)
        assert status == 200, body
        answers.append(json.loads(body))
    first, second = answers
    assert first["status"] == "completed"
    assert first["output"][0]["content"][0]["text"].startswith("Hello! I am the Llamero demo")
    assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"] + first["usage"]["output_tokens"]
    assert get(pair.here, f"/v1/responses/{first['id']}")[1] == first
    assert get(pair.there, f"/v1/responses/{first['id']}", {"Authorization": f"Bearer {KEY}"})[0] == 404


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("keyless/demo", 401, "invalid_api_key"),
        ("there/nobody", 404, "model_not_found"),
        ("dead", 502, "remote_error-unreachable"),
    ],
)
def test_llamero_elsewhere_that_refuses_is_told_in_responses_as_in_chats(
    pair: Pair, model: str, status: int, code: str
) -> None:
    for stream in (False, True):
        answered, body, _ = pair.ask("/v1/responses", {"model": model, "input": "x", "stream": stream})
        assert (answered, json.loads(body)["error"]["code"]) == (status, code)


def test_fallback_goes_from_a_dead_server_to_a_living_one_and_then_to_this_machine(pair: Pair) -> None:
    answer = pair.text("careful")
    assert answer == pair.text("there/demo")
    pair.other.end()
    assert pair.text("careful") == answer, "the same model, on this machine"


def test_remote_keys_are_in_a_file_of_the_user_alone(pair: Pair) -> None:
    assert (pair.data / FILE_NAME).stat().st_mode & 0o077 == 0
