"""Checks a chat request before an engine sees it.

Checked are the fields that decide what happens here (`model`, `messages`, `stream`) and numbers. Everything else
passes untouched, also what this version has never heard of: the engine knows its own fields best. Numbers are checked
because an engine converts them to C integers without asking: a negative `n_discard` has been an out-of-bounds write
(CVE-2026-21869). `null` means "not given", as everywhere in this API.
"""

from __future__ import annotations

from collections.abc import Mapping

from llamero.models.errors import InvalidRequest

LARGEST_C_INT = 2**31 - 1

RANGES: Mapping[str, tuple[float, float]] = {
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "temperature": (0, 2),
    "top_p": (0, 1),
    # llama-server's own, and the counts of the OpenAI API; -1 stands for "no limit" or "choose".
    "dry_allowed_length": (0, LARGEST_C_INT),
    "dry_penalty_last_n": (-1, LARGEST_C_INT),
    "id_slot": (-1, LARGEST_C_INT),
    "max_completion_tokens": (-1, LARGEST_C_INT),
    "max_tokens": (-1, LARGEST_C_INT),
    "min_keep": (0, LARGEST_C_INT),
    "mirostat": (0, 2),
    "n": (1, LARGEST_C_INT),
    "n_discard": (0, LARGEST_C_INT),
    "n_indent": (0, LARGEST_C_INT),
    "n_keep": (-1, LARGEST_C_INT),
    "n_predict": (-1, LARGEST_C_INT),
    "n_probs": (0, LARGEST_C_INT),
    "repeat_last_n": (-1, LARGEST_C_INT),
    "t_max_predict_ms": (-1, LARGEST_C_INT),
    "top_k": (-1, LARGEST_C_INT),
    "top_logprobs": (0, LARGEST_C_INT),
}


def check_chat_request(body: Mapping[str, object]) -> str:
    """Return the model's name. Raises `InvalidRequest` naming the first field at fault.

    An empty list of messages is the engine's to judge: some templates start a conversation from nothing.
    """
    model = _required(body, "model")
    if not isinstance(model, str):
        raise _wrong_type("model", "string")
    if not model:
        raise InvalidRequest("request_error-missing_param", param="model")
    if not isinstance(_required(body, "messages"), list):
        raise _wrong_type("messages", "list")
    if not isinstance(body.get("stream"), bool | None):
        raise _wrong_type("stream", "boolean")
    for name, (lowest, highest) in RANGES.items():
        _check_number(name, body.get(name), lowest, highest)
    return model


def _required(body: Mapping[str, object], name: str) -> object:
    value = body.get(name)
    if value is None:
        raise InvalidRequest("request_error-missing_param", param=name)
    return value


def _check_number(name: str, value: object, lowest: float, highest: float) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong_type(name, "number")
    if not lowest <= value <= highest:
        raise InvalidRequest("request_error-out_of_range", param=name, minimum=lowest, maximum=highest)


def _wrong_type(name: str, expected: str) -> InvalidRequest:
    return InvalidRequest("request_error-wrong_type", param=name, expected=expected)
