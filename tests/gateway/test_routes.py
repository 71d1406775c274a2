"""The routes: what they answer, and what they say to a request that is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamero import __version__
from llamero.models.errors import EngineFailed, ModelFileNotFound, Unavailable
from tests.gateway.harness import CHAT, Script, chat, running_gateway, send

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "errors.json").read_text())


async def test_health_answers_with_state_and_without_paths() -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "GET", "/health")
    assert response.status == 200
    assert response.json() == {
        "status": "ok",
        "version": __version__,
        "servers": [{"model": "m", "state": "ready"}],
    }
    assert b"somebody" not in response.body


async def test_models_list_has_openai_shape() -> None:
    async with running_gateway() as gateway:
        document = (await send(gateway, "GET", "/v1/models")).json()
    assert document["object"] == "list"
    assert [model["id"] for model in document["data"]] == ["m", "org/model:Q4"]
    for model in document["data"]:
        assert set(model) == {"id", "object", "created", "owned_by"}
        assert model["object"] == "model"
        assert isinstance(model["created"], int)


@pytest.mark.parametrize("target", ["/v1/models/org/model:Q4", "/v1/models/org%2Fmodel%3AQ4"])
async def test_model_with_slash_in_its_name_is_found(target: str) -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "GET", target)
    assert response.status == 200
    assert response.json()["id"] == "org/model:Q4"


async def test_model_unknown_is_not_found() -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "GET", "/v1/models/org/nothing")
    assert response.status == 404
    assert response.error()["code"] == "model_not_found"
    assert response.error()["param"] == "model"


@pytest.mark.parametrize("case", VECTORS["bad_requests"], ids=lambda case: json.dumps(case["body"])[:40])
async def test_bad_request_names_the_field(case: dict[str, Any]) -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "POST", case["endpoint"], {}, json.dumps(case["body"]).encode())
        assert gateway.inference.requests == []
    assert response.status == case["status"]
    assert response.error()["param"] == case["param"]


@pytest.mark.parametrize(("name", "bounds"), VECTORS["ranges"].items())
async def test_number_out_of_range_is_refused_and_bounds_pass(name: str, bounds: list[float]) -> None:
    lowest, highest = bounds
    async with running_gateway() as gateway:
        for value in (lowest, highest, (lowest + highest) / 2, None):
            assert (await chat(gateway, CHAT | {name: value})).status == 200, value
        for wrong in (lowest - 0.01, highest + 0.01, 10**30, -(10**30), "1", True, [1]):
            response = await chat(gateway, CHAT | {name: wrong})
            assert (response.status, response.error()["param"]) == (400, name), wrong


SAMPLERS = (
    *("adaptive_decay", "adaptive_target", "dry_base", "dry_multiplier", "dynatemp_exponent", "dynatemp_range"),
    *("min_p", "mirostat_eta", "mirostat_tau", "repeat_penalty", "top_n_sigma", "typical_p", "xtc_probability"),
    "xtc_threshold",
)


@pytest.mark.parametrize(
    "fields",
    [
        {"min_p": 0.05, "typical_p": 1, "top_n_sigma": -1, "xtc_probability": 0, "xtc_threshold": 0.1},
        {"repeat_penalty": 1.1, "dry_base": 1.75, "dry_multiplier": 0.8, "mirostat_tau": 5.0, "mirostat_eta": 0.1},
        {"dynatemp_range": 0.5, "dynatemp_exponent": 1, "adaptive_target": -1, "adaptive_decay": 0.9},
        {"seed": -1},
        {"seed": 2**63 - 1},
        {"seed": None},
        {"logit_bias": {"7": -100, "8": False}},
        {"logit_bias": [[7, -1e9], ["text", False]]},
    ],
)
async def test_numbers_that_samplers_know_pass_untouched(fields: dict[str, object]) -> None:
    async with running_gateway() as gateway:
        assert (await chat(gateway, CHAT | fields)).status == 200
        (request,) = gateway.inference.requests
    assert {name: request.body[name] for name in fields} == fields


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": ""}, "model"),
        ({"model": 7}, "model"),
        ({"model": ["m"]}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": {}}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": "hi"}, 7]}, "messages[1]"),
        ({"response_format": "json"}, "response_format"),
        ({"stop": 5}, "stop"),
        ({"stop": ["a", 5]}, "stop"),
        ({"stop": {"a": "b"}}, "stop"),
        ({"stream_options": 5}, "stream_options"),
        ({"stream_options": []}, "stream_options"),
        ({"stream": 1}, "stream"),
        ({"stream": "true"}, "stream"),
        ({"max_tokens": -2}, "max_tokens"),
        ({"max_tokens": 2**31}, "max_tokens"),
        ({"n": 0}, "n"),
        ({"n_probs": -1}, "n_probs"),
        ({"n_keep": -(2**40)}, "n_keep"),
        ({"thinking_budget_tokens": -(2**40)}, "thinking_budget_tokens"),
        ({"logit_bias": {"-1": 1}}, "logit_bias"),
        ({"logit_bias": {str(2**31): 1}}, "logit_bias"),
        ({"logit_bias": [[2**40, 1]]}, "logit_bias"),
        ({"lora": [{"id": -1, "scale": 1}]}, "lora"),
        # What a C float or a seed cannot hold would be another number, or infinite.
        *[({name: value}, name) for name in SAMPLERS for value in (1e300, -1e300, 3.5e38)],
        ({"min_p": 1.01}, "min_p"),
        ({"repeat_penalty": 0}, "repeat_penalty"),
        ({"seed": 2**70}, "seed"),
        ({"seed": -(2**70)}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"logit_bias": {"7": 1e300}}, "logit_bias"),
        ({"logit_bias": [[7, -1e300]]}, "logit_bias"),
        ({"lora": [{"id": 0, "scale": 1e300}]}, "lora"),
        # The engine would take 8 GiB for these before it says a word.
        ({"repeat_last_n": 2**31 - 1}, "repeat_last_n"),
        ({"dry_penalty_last_n": 2**31 - 1}, "dry_penalty_last_n"),
    ],
)
async def test_field_of_wrong_type_or_range_is_refused(fields: dict[str, object], param: str) -> None:
    async with running_gateway() as gateway:
        response = await chat(gateway, CHAT | fields)
        assert gateway.inference.requests == []
    assert (response.status, response.error()["param"]) == (400, param)
    assert response.error()["type"] == "invalid_request_error"


async def test_unknown_fields_reach_the_engine_untouched() -> None:
    extra = {
        "grammar": "root ::= x",
        "new_thing": {"deep": [1, 2.5, None]},
        "seed": 2**60,
        "other": 2**70,
        "messages": [],
    }
    extra |= {"logit_bias": {"15": -100, " llama": 2}, "lora": [{"id": 0, "scale": 0.5}]}
    async with running_gateway() as gateway:
        assert (await chat(gateway, CHAT | extra)).status == 200
        (request,) = gateway.inference.requests
    assert request.body == CHAT | extra
    assert request.endpoint == "/v1/chat/completions"
    assert request.model == "m"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b'"text"',
        b"{} {}",
        b'{"model": NaN}',
        b'{"temperature": Infinity}',
        b'{"temperature": 1e999}',
        b'{"seed": ' + b"9" * 5000 + b"}",
        b'{"model": "\xff"}',
        b'{"model": "\xed\xa0\x80"}',
        b'{"model": "\\ud800"}',
        "{}".encode("utf-16"),
        b"model=m&messages=hi",
    ],
)
async def test_body_that_is_not_a_json_object_is_refused(body: bytes) -> None:
    async with running_gateway() as gateway:
        response = await chat(gateway, body)
    assert response.status == 400
    assert response.error()["code"] == "invalid_request"


async def test_repeated_key_last_one_counts_and_only_it_is_passed_on() -> None:
    body = b'{"model":"nobody","messages":[],"model":"m","temperature":9,"temperature":1}'
    async with running_gateway() as gateway:
        assert (await chat(gateway, body)).status == 200
        assert gateway.inference.requests[0].body == {"model": "m", "messages": [], "temperature": 1}


async def test_byte_order_mark_is_skipped() -> None:
    async with running_gateway() as gateway:
        assert (await chat(gateway, b"\xef\xbb\xbf" + json.dumps(CHAT).encode())).status == 200


async def test_unknown_route_is_a_typed_404() -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "GET", "/v1/nothing?secret=1")
    assert response.status == 404
    assert response.error()["type"] == "not_found_error"
    assert b"secret" not in response.body


async def test_wrong_method_is_a_typed_405_with_allow() -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "DELETE", "/v1/chat/completions")
    assert response.status == 405
    assert response.error()["type"] == "method_not_allowed_error"
    assert response.headers["allow"] == "POST"


async def test_engine_not_ready_answers_503_with_retry_after() -> None:
    async with running_gateway(Script(refuse=Unavailable(retry_after=2.2))) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 503
    assert response.headers["retry-after"] == "3"
    assert response.error()["code"] == "server_error-server_not_ready"


async def test_engine_failure_carries_the_reason_without_paths() -> None:
    reason = "failed to open GGUF file '/home/some body/secret/m.gguf' (C:\\Users\\x y\\m.gguf)"
    failure = EngineFailed(exit_status=1, log_tail=("/home/somebody/tail",), reason=reason)
    async with running_gateway(Script(refuse=failure)) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 500
    message = response.error()["message"]
    assert "failed to open GGUF file 'm.gguf' (m.gguf)" in message
    assert b"somebody" not in response.body


async def test_missing_file_is_named_without_its_folder() -> None:
    async with running_gateway(Script(refuse=ModelFileNotFound(path="/home/some body/m.gguf"))) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 404
    assert response.error()["message"] == "server_error-model_not_found path=m.gguf"


async def test_crash_is_a_typed_500_with_an_incident_that_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    async with running_gateway(Script(refuse=ZeroDivisionError("in /home/somebody/x.py"))) as gateway:
        response = await chat(gateway, CHAT)
    assert response.status == 500
    message = response.error()["message"]
    assert b"somebody" not in response.body
    assert b"ZeroDivisionError" not in response.body
    incident = message.rpartition("reason=")[2]
    assert any(incident in record.getMessage() and record.exc_info for record in caplog.records)


async def test_access_log_has_no_query_and_no_body(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="llamero")
    async with running_gateway() as gateway:
        await send(gateway, "GET", "/v1/models?api_key=s3cret%0aforged", {"Authorization": "Bearer t0ken"})
        await chat(gateway, CHAT | {"note": "pr1vate"})
    text = caplog.text
    assert "GET /v1/models 200" in text
    assert "POST /v1/chat/completions 200" in text
    assert not any(secret in text for secret in ("s3cret", "t0ken", "pr1vate", "forged"))
