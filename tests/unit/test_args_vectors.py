"""Every case of `vectors/server_args.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamero.infrastructure.llama.args import command_line, is_flag, merge, parse

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "server_args.json").read_text("utf-8"))


@pytest.mark.parametrize("token", VECTORS["flag"]["true"])
def test_is_flag_name_is_true(token: str) -> None:
    assert is_flag(token)


@pytest.mark.parametrize("token", VECTORS["flag"]["false"])
def test_is_flag_value_is_false(token: str) -> None:
    assert not is_flag(token)


@pytest.mark.parametrize("case", VECTORS["parse"], ids=lambda case: " ".join(case["in"])[:60])
def test_parse_vector_gives_flags_and_orphans(case: dict[str, Any]) -> None:
    parsed = parse(case["in"])
    assert [[flag.name, list(flag.values)] for flag in parsed.flags] == case["out"]
    assert list(parsed.orphans) == case.get("orphans", [])


@pytest.mark.parametrize("case", VECTORS["merge"], ids=lambda case: " ".join(case["out"])[:60])
def test_merge_vector_gives_flags_in_order(case: dict[str, Any]) -> None:
    merged = merge(case["settings"], case["variant"], case["alias"])
    assert [flag.text for flag in merged] == case["out"]


@pytest.mark.parametrize("case", VECTORS["command_line"], ids=lambda case: case["alias"])
def test_command_line_vector_is_exact(case: dict[str, Any]) -> None:
    assert command_line(case["alias"], case["model"], case["port"], case["args"]) == case["out"]
