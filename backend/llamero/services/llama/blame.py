"""What a llama-server's complaints say about the request.

Some are the request's fault although it says 500 of them: clients repeat a 500, and it would be the same again. Others
begin with the field that they are about. Where a complaint may be about several fields, none is named. Source:
`oaicompat_chat_params_parse` and what it calls, and the server's schema of a request.
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
# How the schema begins each complaint, and how the few checks beside it name their field.
_NAMED = re.compile(
    r"Field '(?P<field>[A-Za-z_][\w.]{0,63})': "
    r"|Expected '(?P<expected>[A-Za-z_]\w{0,63})' to be "
    r"|Invalid (?P<invalid>tool_choice): "
    r"|(?P<format>response_format) type must be one of "
)


def param_at_fault(message: str) -> str | None:
    """Return the field that the engine's message finds fault with, None where the failure is the engine's own."""
    return next((param for words, param in _PARAM_BY_WORDS.items() if words.match(message)), None)


def named_param(message: str) -> str | None:
    """Return the field that a refusal of the engine's names, None where it names none or may mean several."""
    if match := _NAMED.match(message):
        return next(name for name in match.groups() if name)
    return param_at_fault(message)
