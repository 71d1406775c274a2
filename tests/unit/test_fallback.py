"""Which target is tried next, and what makes it so: every case of `vectors/routing.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamero.models.aliases import COOLDOWN_S
from llamero.models.errors import BadModelFile, InvalidArgument, InvalidRequest, LlameroError, Unavailable
from llamero.services.fallback import Cooldowns, Pause, cooldown_s, failure_status, falls_through, retry_after_s

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "routing.json").read_text("utf-8"))[
    "fallback"
]
NOW = 1_800_000_000.0  # Fri, 15 Jan 2027 08:00:00 GMT


@pytest.mark.parametrize("status", VECTORS["verbatim_no_fallthrough"])
def test_fallback_refusal_of_the_request_is_told_as_it_is(status: int) -> None:
    assert not falls_through(status)


@pytest.mark.parametrize("status", VECTORS["fall_through"])
def test_fallback_failure_of_the_target_falls_through(status: int) -> None:
    assert falls_through(status)


@pytest.mark.parametrize(("status", "falls"), [(200, False), (413, False), (402, True), (529, True)])
def test_fallback_statuses_beyond_the_vectors(status: int, falls: bool) -> None:
    assert falls_through(status) is falls


def test_fallback_cooldown_default_is_the_vectors() -> None:
    assert VECTORS["cooldown_default_s"] == COOLDOWN_S
    assert cooldown_s(COOLDOWN_S, None) == COOLDOWN_S


@pytest.mark.parametrize("case", VECTORS["retry_after"], ids=lambda case: str(case["header"]))
def test_fallback_retry_after_vector_is_exact(case: dict[str, Any]) -> None:
    asked = retry_after_s({"retry-after": str(case["header"])}, NOW)
    assert cooldown_s(COOLDOWN_S, asked) == case["cooldown_s"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 7 ", 7.0),
        ("Fri, 15 Jan 2027 08:01:00 GMT", 60.0),
        ("Fri, 15 Jan 2027 08:01:00", 60.0),
        ("Fri, 15 Jan 2027 07:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_retry_after_forms(header: str, seconds: float | None) -> None:
    assert retry_after_s({"Retry-After": header}, NOW) == seconds


def test_fallback_server_that_asks_for_years_is_left_alone_for_a_day() -> None:
    assert cooldown_s(30.0, 1e10) == 86_400.0


@pytest.mark.parametrize("case", VECTORS["order"], ids=lambda case: "".join(case["targets"]))
def test_fallback_order_vector_is_exact(case: dict[str, Any]) -> None:
    cooldowns = Cooldowns()
    for target in case["cooled"]:
        cooldowns.cool(target, 0.0, 30.0, 503)
    assert list(cooldowns.order(case["targets"], 29.9)) == case["tried"]
    assert list(cooldowns.order(case["targets"], 30.0)) == case["targets"]


def test_cooldown_longer_one_stays_and_success_ends_it() -> None:
    cooldowns = Cooldowns()
    cooldowns.cool("a", 0.0, 120.0, 429)
    cooldowns.cool("a", 10.0, 30.0, 500)
    assert cooldowns.order("ab", 100.0) == ("b", "a")
    assert cooldowns.paused(100.0) == {"a": Pause(120.0, 500)}
    assert cooldowns.paused(120.0) == {}
    cooldowns.warm("a")
    assert cooldowns.paused(100.0) == {}
    assert cooldowns.order("ab", 100.0) == ("a", "b")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidRequest(), 400),
        (InvalidArgument(argument="--x"), 500),
        (BadModelFile(path="m", reason=""), 500),
        (Unavailable(), 503),
    ],
)
def test_fallback_what_is_wrong_with_a_target_is_not_the_requests_fault(error: LlameroError, status: int) -> None:
    assert failure_status(error) == status
