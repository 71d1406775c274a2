"""`/metrics`: the numbers are right, the labels are few, and a scrape asks nobody."""

from __future__ import annotations

import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from llamero.gateway.metrics.counts import Counts, Histogram
from llamero.gateway.metrics.exposition import Exposition
from llamero.gateway.metrics.model_labels import LIMIT, ModelLabels
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.key_digest import digest
from llamero.models.access import ApiKey, Scope, StoredKey
from llamero.models.chat import Timings
from llamero.models.errors import UpstreamFailed
from llamero.services.access import AccessService
from tests.gateway.harness import (
    CHAT,
    MODEL,
    SLASHED,
    Gateway,
    Hardware,
    OneServer,
    Script,
    ScriptedReply,
    SomeServers,
    chat,
    event,
    eventually,
    forever,
    running_gateway,
    send,
)
from tests.gateway.test_relay import read_head, streaming

Key = tuple[str, frozenset[tuple[str, str]]]


async def scrape(gateway: Gateway) -> dict[Key, float]:
    """Every sample by name and labels, read as Prometheus reads them."""
    response = await send(gateway, "GET", "/metrics")
    assert response.status == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(response.body.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def sample(samples: dict[Key, float], name: str, **labels: str) -> float:
    return samples.get((name, frozenset(labels.items())), 0.0)


async def test_requests_are_counted_by_template_dialect_and_status() -> None:
    async with running_gateway() as gateway:
        await chat(gateway, CHAT)
        await chat(gateway, CHAT | {"n": 0})
        for name in ("m", "x", "y/z"):
            await send(gateway, "GET", f"/v1/models/{name}")
        await send(gateway, "GET", "/v1/models", host="evil.example")
        await send(gateway, "GET", "/nothing/here")
        found = await scrape(gateway)
    chats = {"route": "/v1/chat/completions", "dialect": "openai"}
    assert sample(found, "llamero_requests_total", status="200", **chats) == 1
    assert sample(found, "llamero_requests_total", status="400", **chats) == 1
    models = {"route": "/v1/models/{id}", "dialect": "openai"}
    assert sample(found, "llamero_requests_total", status="200", **models) == 1
    assert sample(found, "llamero_requests_total", status="404", **models) == 2
    assert sample(found, "llamero_requests_total", route="/v1/models", dialect="openai", status="403") == 1
    assert sample(found, "llamero_requests_total", route="unknown", dialect="llamero", status="404") == 1
    assert sample(found, "llamero_request_seconds_count", route="/v1/models/{id}") == 3


async def test_names_of_no_model_share_one_label() -> None:
    async with running_gateway() as gateway:
        await chat(gateway, CHAT)
        for number in range(20):
            await chat(gateway, CHAT | {"model": f"made-up-{number}"})
        found = await scrape(gateway)
    asked = {labels: value for (name, labels), value in found.items() if name == "llamero_model_requests_total"}
    assert asked == {
        frozenset({("model", "m"), ("outcome", "finished")}): 1,
        frozenset({("model", "other"), ("outcome", "failed")}): 20,
    }
    assert sample(found, "llamero_first_token_seconds_count", model="m") == 1
    assert sample(found, "llamero_tokens_total", model="m", kind="prompt") == 7
    assert sample(found, "llamero_tokens_total", model="m", kind="generated") > 0


async def test_model_that_never_answers_has_its_name_once_it_has_an_engine() -> None:
    async with running_gateway(Script(refuse=UpstreamFailed(reason="gone"))) as gateway:
        await chat(gateway, CHAT)
        await chat(gateway, CHAT | {"model": SLASHED.alias})
        found = await scrape(gateway)
    assert sample(found, "llamero_model_requests_total", model="m", outcome="failed") == 1
    assert sample(found, "llamero_model_requests_total", model="other", outcome="failed") == 1


def test_labels_of_a_server_that_takes_any_name_are_bounded() -> None:
    labels = ModelLabels(OneServer())
    made = {labels.label(f"model-{number}", answered=True) for number in range(LIMIT * 2)}
    assert len(made) == LIMIT + 1
    assert "other" in made
    assert labels.label("model-1", answered=False) == "model-1"


async def test_stream_is_counted_while_it_runs_and_by_how_it_ended() -> None:
    async with running_gateway(Script([event("a"), forever])) as gateway:
        async with streaming(gateway) as (reader, _):
            await read_head(reader)
            assert sample(await scrape(gateway), "llamero_streams") == 1
        await eventually(lambda: gateway.inference.open == 0)
        gateway.inference.script = Script([event("a"), UpstreamFailed(reason="gone")])
        await chat(gateway, CHAT)
        found = await scrape(gateway)
    assert sample(found, "llamero_streams") == 0
    for outcome in ("cancelled", "failed"):
        assert sample(found, "llamero_model_requests_total", model="m", outcome=outcome) == 1, outcome
    gone = {"route": "/v1/chat/completions", "dialect": "openai", "status": "gone"}
    assert sample(found, "llamero_requests_total", **gone) == 1


async def test_state_of_engines_machine_and_process_is_told() -> None:
    async with running_gateway() as gateway:
        found = await scrape(gateway)
    assert sample(found, "llamero_servers", state="ready") == 1
    assert sample(found, "llamero_servers", state="failed") == 0
    assert sample(found, "llamero_server_state", model="m", state="ready") == 1
    assert sample(found, "llamero_server_loads_total") == 1
    assert sample(found, "llamero_server_cpu_cores", model="m") == 1.5
    assert sample(found, "llamero_server_resident_bytes", model="m") == 4096
    assert sample(found, "llamero_server_generation_speed", model="m") == 7.5
    assert sample(found, "llamero_server_context_tokens", model="m") == 1500
    assert sample(found, "llamero_server_context_limit_tokens", model="m") == 8192
    assert sample(found, "llamero_server_slots", model="m") == 4
    assert sample(found, "llamero_server_slots_busy", model="m") == 2
    assert sample(found, "llamero_server_requests_waiting", model="m") == 3
    assert "gone" not in {value for _, labels in found for _, value in labels}
    assert sample(found, "llamero_cpu_ratio") == 0.125
    missing = {"llamero_gpu_ratio", "llamero_server_gpu_memory_bytes"}  # a sensor that is missing is not 0
    assert not [name for name, _ in found if name in missing]
    assert sample(found, "process_cpu_seconds_total") > 0
    assert sample(found, "process_resident_memory_bytes") > 10_000_000


async def test_first_token_of_an_answer_in_one_piece_is_not_known() -> None:
    whole = Script([b'{"choices":[]}'], headers={"Content-Type": "application/json"})
    async with running_gateway(whole) as gateway:
        await chat(gateway, CHAT)
        found = await scrape(gateway)
    assert sample(found, "llamero_model_requests_total", model="m", outcome="finished") == 1
    assert sample(found, "llamero_first_token_seconds_count", model="m") == 0


class HealedReply(ScriptedReply):
    """One that an engine has timed, and that two others took over."""

    timings = Timings(prompt_n=4, prompt_ms=500.0, predicted_n=10, predicted_ms=2000.0)
    continuations, replays = 2, 1


async def test_engine_clock_and_recoveries_are_counted_by_model() -> None:
    async with running_gateway(reply=HealedReply) as gateway:
        await chat(gateway, CHAT)
        await chat(gateway, CHAT)
        found = await scrape(gateway)
    assert sample(found, "llamero_engine_tokens_total", model="m", kind="prompt") == 8
    assert sample(found, "llamero_engine_seconds_total", model="m", kind="prompt") == 1
    assert sample(found, "llamero_engine_tokens_total", model="m", kind="generated") == 20
    assert sample(found, "llamero_engine_seconds_total", model="m", kind="generated") == 4
    assert sample(found, "llamero_recoveries_total", model="m", way="continued") == 4
    assert sample(found, "llamero_recoveries_total", model="m", way="replayed") == 2


class OneRequest:
    """A key store with one key that may ask once a minute."""

    def __init__(self) -> None:
        terms = ApiKey(
            id="1", name="k", start="k", scopes=tuple(Scope), created_at=0.0, requests_per_minute=1, streams=None
        )
        self._keys = (StoredKey(digest=digest("secret"), key=terms),)

    def stamp(self) -> int:
        return 1

    async def stored(self) -> tuple[StoredKey, ...]:
        return self._keys

    async def note_use(self, key_id: str, at: float) -> None:
        pass


async def test_limit_of_a_key_that_is_hit_is_counted_by_its_code() -> None:
    access = AccessService(OneRequest(), SystemClock(), required=False)
    async with running_gateway(access=access) as gateway:
        for status in (200, 429, 429):
            answer = await send(gateway, "GET", "/v1/models", headers={"Authorization": "Bearer secret"})
            assert answer.status == status
        found = await scrape(gateway)
    assert sample(found, "llamero_errors_total", code="access_error-key_rate_limited") == 2


async def test_count_of_loads_outlives_the_engine_that_was_last() -> None:
    servers = SomeServers(MODEL)
    exposition = Exposition(Counts(), servers, Hardware(), lambda: 0)
    assert b"llamero_server_loads_total 1.0" in exposition.page()[0]
    servers.forget()
    assert b"llamero_server_loads_total 1.0" in exposition.page()[0]


async def test_scrape_tells_no_path() -> None:
    async with running_gateway() as gateway:
        await chat(gateway, CHAT)
        assert b"somebody" not in (await send(gateway, "GET", "/metrics")).body


@pytest.mark.parametrize("value", [0.0, 0.005, 0.0051, 1e9])
def test_histogram_counts_a_value_in_every_bucket_from_its_own_on(value: float) -> None:
    histogram = Histogram((0.005, 1.0))
    histogram.observe(value)
    expected = [float(value <= bound) for bound in (0.005, 1.0)] + [1.0]
    assert [count for _, count in histogram.buckets()] == expected
    assert histogram.sum == value


def test_start_does_not_pay_for_the_library() -> None:
    code = "import sys, llamero.commands.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert "prometheus_client" not in done.stdout
