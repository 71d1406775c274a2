"""What an alias adds to a request: every case of `vectors/routing.json`, and what the vectors leave open."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamero.models.inference import CHAT
from llamero.services.request_defaults import with_defaults

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "routing.json").read_text("utf-8"))
QUESTION = {"role": "user", "content": "hi"}


@pytest.mark.parametrize("case", VECTORS["request_defaults"], ids=lambda case: json.dumps(case["request"]))
def test_request_defaults_vector_is_exact(case: dict[str, Any]) -> None:
    assert with_defaults(CHAT, case["request"], case["alias"]) == case["out"]


def test_request_defaults_unknown_fields_pass() -> None:
    assert with_defaults(CHAT, {"brand_new": {"x": [1]}}, {"other_new": 2}) == {
        "brand_new": {"x": [1]},
        "other_new": 2,
    }


def test_request_defaults_request_stays_as_it_was() -> None:
    request: dict[str, object] = {"messages": [QUESTION]}
    with_defaults(CHAT, request, {"temperature": 0.1}, "Be brief.")
    assert request == {"messages": [QUESTION]}


@pytest.mark.parametrize("name", ["model", "messages", "stream", "prompt", "input"])
def test_request_defaults_what_is_asked_has_no_default(name: str) -> None:
    assert with_defaults(CHAT, {}, {name: "x"}) == {}


@pytest.mark.parametrize("given", ["max_tokens", "max_completion_tokens", "n_predict"])
@pytest.mark.parametrize("default", ["max_tokens", "max_completion_tokens", "n_predict"])
def test_request_defaults_any_limit_of_the_request_wins(given: str, default: str) -> None:
    assert with_defaults(CHAT, {given: None}, {default: 5}) == {given: None}


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (CHAT, "max_completion_tokens"),
        ("/v1/completions", "max_tokens"),
        ("/v1/responses", "max_output_tokens"),
        ("/completion", "n_predict"),
    ],
)
def test_request_defaults_limit_has_the_name_of_the_endpoint(endpoint: str, name: str) -> None:
    assert with_defaults(endpoint, {}, {"max_tokens": 5, "temperature": 0}) == {name: 5, "temperature": 0}


def test_request_defaults_embeddings_get_no_sampling() -> None:
    defaults = {"temperature": 1, "max_tokens": 5, "encoding_format": "base64"}
    assert with_defaults("/v1/embeddings", {"input": "x"}, defaults, "Be brief.") == {
        "input": "x",
        "encoding_format": "base64",
    }


def test_request_defaults_tokenize_gets_nothing() -> None:
    assert with_defaults("/tokenize", {"content": "x"}, {"temperature": 1}, "Be brief.") == {"content": "x"}


def test_system_prompt_comes_first() -> None:
    out = with_defaults(CHAT, {"messages": [QUESTION]}, {}, "Be brief.")
    assert out["messages"] == [{"role": "system", "content": "Be brief."}, QUESTION]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_prompt_of_the_request_wins(role: str) -> None:
    messages = [{"role": role, "content": "Be long."}, QUESTION]
    assert with_defaults(CHAT, {"messages": messages}, {}, "Be brief.") == {"messages": messages}


@pytest.mark.parametrize("messages", [None, "text", {"role": "user"}])
def test_system_prompt_broken_messages_are_left_to_the_engine(messages: object) -> None:
    assert with_defaults(CHAT, {"messages": messages}, {}, "Be brief.") == {"messages": messages}


def test_system_prompt_is_for_chats_alone() -> None:
    body: dict[str, object] = {"messages": [QUESTION]}
    assert with_defaults("/v1/messages", body, {}, "Be brief.") == body
