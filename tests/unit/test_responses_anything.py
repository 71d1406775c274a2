"""Whatever JSON a client sends becomes a chat or is refused by name: nothing else is ever raised."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from llamero.gateway.openai.responses.input_items import chat_messages
from llamero.gateway.openai.responses.request import read_request
from llamero.models.errors import InvalidRequest
from llamero.models.responses import Response
from tests.unit.test_responses_request import CHOICES, ITEMS, OTHER, TOOL, numbered

WORDS = ["message", "function_call", "function_call_output", "reasoning", "item_reference", "user", "assistant", "tool"]
WORDS += [
    "input_text",
    "output_text",
    "input_image",
    "function",
    "json_schema",
    "allowed_tools",
    "auto",
    "required",
    "",
]
NAMES = ["type", "role", "content", "id", "call_id", "name", "arguments", "output", "summary", "text", "format", "mode"]
NAMES += ["image_url", "schema", "tools", "effort", "encrypted_content", "refusal", "input_audio", "detail"]
FIELDS = ["input", "instructions", "tools", "tool_choice", "text", "reasoning", "metadata", "include", "truncation"]
FIELDS += ["max_output_tokens", "temperature", "top_logprobs", "store", "background", "previous_response_id", "user"]

plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
leaves = plain | st.text(max_size=5) | st.sampled_from(WORDS)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
known = st.sampled_from([*ITEMS, TOOL, OTHER, *CHOICES])
bodies = st.dictionaries(st.sampled_from(FIELDS), anything | known | st.lists(anything | known, max_size=4))


@given(bodies)
def test_any_request_becomes_a_chat_or_is_refused_by_name(fields: dict[str, Any]) -> None:
    try:
        asked = read_request({"model": "m", "input": "hi", **fields}, numbered(), 0.0)
    except InvalidRequest as refused:
        assert refused.param
        return
    assert all(isinstance(item["id"], str) and item["id"] for item in asked.input)
    items = [item for item in asked.input if item["type"] != "item_reference"]
    for message in chat_messages(items, asked.response.instructions):
        assert message["role"] in ("system", "user", "assistant", "tool")
    json.dumps(asked.chat)
    assert msgspec.json.decode(msgspec.json.encode(asked.response), type=Response) == asked.response
