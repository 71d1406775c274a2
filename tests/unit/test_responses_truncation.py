"""Which turns are left out of a conversation that is too long."""

from __future__ import annotations

from typing import Any

import pytest

from llamero.gateway.openai.responses.truncation import shortened

SYSTEM = {"role": "system", "content": "be"}


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": text}


def said(text: str) -> dict[str, object]:
    return {"role": "assistant", "content": text}


CALLED = [
    user("look"),
    {"role": "assistant", "content": None, "tool_calls": [{"id": "c"}]},
    {"role": "tool", "tool_call_id": "c", "content": "seen"},
    said("there"),
]


@pytest.mark.parametrize(
    ("messages", "tokens", "limit", "left"),
    [
        # Hardly too long: one turn is enough, and it goes with all that came of it.
        ([SYSTEM, *CALLED, user("b"), said("c"), user("d")], 101, 100, [SYSTEM, user("b"), said("c"), user("d")]),
        # Ten times too long: all but the last turn.
        ([SYSTEM, *[user(str(number)) for number in range(9)], user("last")], 1000, 100, [SYSTEM, user("last")]),
        # The turn that is left has all of its messages.
        ([user("a"), *CALLED], 1000, 10, CALLED),
        # One turn that is too long by itself cannot be mended.
        ([SYSTEM, user("a")], 1000, 10, None),
        ([SYSTEM, *CALLED], 1000, 10, None),
        ([], 1000, 10, None),
        # Later words of the system belong to their turn.
        ([user("a"), SYSTEM, user("b")], 20, 19, [user("b")]),
    ],
)
def test_oldest_turns_are_left_out(messages: Any, tokens: int, limit: int, left: Any) -> None:
    assert shortened(messages, tokens, limit) == left


def test_half_of_a_long_conversation_is_left_of_twice_the_context() -> None:
    messages = [user(f"{number:03} " + "x" * 50) for number in range(100)]
    left = shortened(messages, 200, 100)
    assert left is not None
    assert left == messages[-len(left) :]
    assert 30 <= len(left) <= 40  # three quarters of the context
