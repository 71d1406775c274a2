"""What an alias adds to a request: parameters that the request does not have, and a system prompt.

What a request says wins, always, and `null` is something that it says. A limit on the number of tokens has several
names; whichever of them a request uses wins over whichever the alias uses, which is sent under the name that the
endpoint knows. The system prompt comes first in a chat, unless the chat begins with one of its own: a client that
sends one means it to hold, and two of them would contradict each other. Fields that are not known here pass.
"""

from __future__ import annotations

from collections.abc import Mapping

from llamero.models.inference import CHAT

# The names of one limit: OpenAI's former one and its successor, and llama.cpp's own.
_TOKEN_LIMITS = ("max_completion_tokens", "max_tokens", "n_predict")
# Endpoints that generate text, and what each of them calls the limit.
_LIMIT_NAME: Mapping[str, str] = {
    CHAT: "max_completion_tokens",
    "/v1/completions": "max_tokens",
    "/v1/messages": "max_tokens",
    "/v1/responses": "max_output_tokens",
    "/completion": "n_predict",
    "/infill": "n_predict",
}
# Endpoints that generate nothing take these alone; what is not named here gets no defaults.
_OTHER_DEFAULTS: Mapping[str, frozenset[str]] = {
    "/v1/embeddings": frozenset({"dimensions", "encoding_format", "embd_normalize"}),
    "/v1/rerank": frozenset({"top_n"}),
    "/apply-template": frozenset({"chat_template_kwargs", "reasoning_format"}),
}
# What makes a request the one it is. A default for these would answer another question, or in another form.
_NOT_DEFAULTS = frozenset({"model", "messages", "prompt", "input", "stream"})
_SYSTEM_ROLES = ("system", "developer")


def with_defaults(
    endpoint: str, body: Mapping[str, object], defaults: Mapping[str, object], system_prompt: str = ""
) -> dict[str, object]:
    """Return the request as the model shall see it. `endpoint` is the engine's path, which decides what applies."""
    return _with_system_prompt(endpoint, body, system_prompt) | _missing(endpoint, body, defaults)


def _missing(endpoint: str, body: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
    limit_name = _LIMIT_NAME.get(endpoint)
    if limit_name is None:
        allowed = _OTHER_DEFAULTS.get(endpoint, frozenset())
        return {name: value for name, value in defaults.items() if name in allowed and name not in body}
    limits = (*_TOKEN_LIMITS, limit_name)
    left_out = _NOT_DEFAULTS.union(limits)
    missing = {name: value for name, value in defaults.items() if name not in body and name not in left_out}
    limit = next((defaults[name] for name in limits if name in defaults), None)
    if limit is not None and not any(name in body for name in limits):
        missing[limit_name] = limit
    return missing


def _with_system_prompt(endpoint: str, body: Mapping[str, object], system_prompt: str) -> dict[str, object]:
    messages = body.get("messages")
    if endpoint != CHAT or not system_prompt or not isinstance(messages, list) or _begins_with_system(messages):
        return dict(body)
    return {**body, "messages": [{"role": "system", "content": system_prompt}, *messages]}


def _begins_with_system(messages: list[object]) -> bool:
    match messages:
        case [{"role": role}, *_]:
            return role in _SYSTEM_ROLES
    return False
