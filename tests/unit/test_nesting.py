"""How deeply JSON is nested, told from pieces of it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamero.http.nesting import Nesting

VALUES = st.recursive(
    st.none() | st.integers() | st.text(alphabet='[]{}"\\/x\u00e9,', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='[}"\\', max_size=3), inner, max_size=3)
    ),
    max_leaves=12,
)


def levels(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(levels, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(levels, value), default=0)
    return 0


@given(VALUES, st.integers(0, 6), st.integers(1, 7), st.booleans())
def test_nesting_of_any_json_cut_anywhere_is_what_it_is(value: object, limit: int, size: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only).encode()
    nesting = Nesting(limit)
    exceeded = [nesting.exceeded_by(text[at : at + size]) for at in range(0, len(text), size)]
    assert any(exceeded) == (levels(value) > limit)


@pytest.mark.parametrize("text", [b"[]", b"[", b"]", b'"', b'\\"', b'"\\', b'"[', b"[[],"])
def test_nesting_of_hostile_text_takes_no_time(text: bytes) -> None:
    nesting = Nesting(64)
    started = time.perf_counter()
    for _ in range(16):
        nesting.exceeded_by(text * (65536 // len(text)))
    assert time.perf_counter() - started < 2
