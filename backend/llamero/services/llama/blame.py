"""What a llama-server's complaints say about the request.

Some are the request's fault although it says 500 of them: clients repeat a 500, and it would be the same again. Others
begin with the field that they are about. Where a complaint may be about several fields, none is named. Source:
`oaicompat_chat_params_parse` and what it calls, the server's schema of a request, and `server_context` for what only
shows when a task is to be computed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from llamero.models.errors import InvalidRequest, ModelDoesNotGenerate, TextTooLong

REASON_LIMIT = 4096

_PARAM_BY_WORDS: Mapping[re.Pattern[str], str] = {
    re.compile(r"(image|audio|video) input is not supported"): "messages",
    re.compile(r"Failed to parse messages: "): "messages",
    re.compile(
        r"Expected 'content' to be |All non-assistant messages must contain 'content'"
        r"|Assistant message must contain either |unsupported content\[\]\.type"
        r"|Cannot continue an assistant message |Cannot have 2 or more assistant messages "
    ): "messages",
    re.compile(r"Failed to parse tools: "): "tools",
    re.compile(r"Unknown reasoning format: "): "reasoning_format",
}
# How the schema begins each complaint, and how the few checks beside it name their field.
_NAMED = re.compile(
    r"Field '(?P<field>[A-Za-z_][\w.]{0,63})': "
    r"|Expected '(?P<expected>[A-Za-z_]\w{0,63})' to be "
    r"|Invalid (?P<invalid>tool_choice): "
    r"|\"(?P<quoted>[A-Za-z_]\w{0,63})\" must "
    r"|(?P<format>response_format) type must be one of "
)
# Said by an engine whose model has no memory to write from.
_NO_TEXT = re.compile(r"the current context does not support logits computation")
# An embedding sees its text as a whole, so the text has to fit into one batch.
_TOO_LONG = re.compile(r"input \((?P<tokens>\d{1,9}) tokens\) is too large to process\D{0,80}(?P<limit>\d{1,9})\)")


def refused_request(message: str) -> InvalidRequest | None:
    """Return the error for a request that the engine's message finds fault with, None where the fault is its own."""
    if _NO_TEXT.match(message):
        return ModelDoesNotGenerate(param="model")
    if too_long := _TOO_LONG.match(message):
        return TextTooLong(param="input", tokens=int(too_long["tokens"]), limit=int(too_long["limit"]))
    param = next((param for words, param in _PARAM_BY_WORDS.items() if words.match(message)), None)
    if param is None:
        return None
    return InvalidRequest("chat_error-refused", param=param, reason=message[:REASON_LIMIT])


def named_param(message: str) -> str | None:
    """Return the field that a refusal of the engine's names, None where it names none or may mean several."""
    if (refused := refused_request(message)) is not None:
        return refused.param
    if match := _NAMED.match(message):
        return next(name for name in match.groups() if name)
    return None
