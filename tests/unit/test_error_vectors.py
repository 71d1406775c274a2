"""What the tree of errors says to clients: types, statuses and codes, case by case of `vectors/errors.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llamero.models.errors import STATUS_BY_TYPE, LlameroError
from llamero.models.settings import ServerSettings

FOLDER = Path(__file__).parents[1] / "vectors"
VECTORS: dict[str, Any] = json.loads((FOLDER / "errors.json").read_text("utf-8"))
ROUTING: dict[str, Any] = json.loads((FOLDER / "routing.json").read_text("utf-8"))


def errors(root: type[LlameroError] = LlameroError) -> Iterator[type[LlameroError]]:
    yield root
    for leaf in root.__subclasses__():
        yield from errors(leaf)


@pytest.mark.parametrize(("kind", "status"), VECTORS["status_by_type"].items())
def test_error_status_of_a_type_is_the_vectors(kind: str, status: int) -> None:
    assert STATUS_BY_TYPE[kind] == status


@pytest.mark.parametrize("case", VECTORS["server_errors"], ids=lambda case: case["code"])
def test_error_type_and_public_code_are_the_vectors(case: dict[str, Any]) -> None:
    error = next(error for error in errors() if error.code == case["code"])
    assert error.type == case["type"]
    assert error.public_code == case.get("public_code")


def test_keep_alive_default_is_the_vectors() -> None:
    assert ServerSettings().keep_alive_s == ROUTING["keep_alive"]["default_s"]
