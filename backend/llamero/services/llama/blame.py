"""Which failures of a llama-server are the request's: it says 500 of a request that it cannot read.

Clients repeat a 500, and it would be the same again. Source: `oaicompat_chat_params_parse` and what it calls.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_PARAM_BY_WORDS: Mapping[re.Pattern[str], str] = {
    re.compile(r"(image|audio|video) input is not supported"): "messages",
    re.compile(r"Failed to parse messages: "): "messages",
    re.compile(r"Failed to parse tools: "): "tools",
    re.compile(r"Unknown reasoning format: "): "reasoning_format",
}


def param_at_fault(message: str) -> str | None:
    """Return the field that the engine's message finds fault with, None where the failure is the engine's own."""
    return next((param for words, param in _PARAM_BY_WORDS.items() if words.match(message)), None)
