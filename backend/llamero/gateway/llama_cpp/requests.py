"""Checks the requests of llama-server's own dialect, route by route.

Each check raises `InvalidRequest` naming the first field at fault. What is not checked passes untouched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from llamero.gateway.fields import (
    LARGEST_C_INT,
    check_number,
    check_numbers,
    check_stream,
    check_text_or_tokens,
    check_tokens,
    required,
    wrong_type,
)
from llamero.models.errors import InvalidRequest

SLOT_ACTIONS = ("save", "restore", "erase")
# llama-server puts it behind the path of its `--slot-save-path`, so it must not lead out of there.
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def check_tokenize(body: Mapping[str, object]) -> None:
    """`/tokenize`: the `content` is text, or text and tokens mixed."""
    check_text_or_tokens("content", required(body, "content"))


def check_detokenize(body: Mapping[str, object]) -> None:
    """`/detokenize`: `tokens`, nothing else."""
    check_tokens("tokens", required(body, "tokens"))


def check_template(body: Mapping[str, object]) -> None:
    """`/apply-template`: the `messages` that become a prompt."""
    if not isinstance(required(body, "messages"), list):
        raise wrong_type("messages", "list")


def check_completion(body: Mapping[str, object]) -> None:
    """`/completion`: a `prompt` of text, of tokens, or several of either."""
    check_text_or_tokens("prompt", required(body, "prompt"))
    check_stream(body)
    check_numbers(body)


def check_infill(body: Mapping[str, object]) -> None:
    """`/infill`: the text around the gap."""
    for name in ("input_prefix", "input_suffix"):
        if not isinstance(required(body, name), str):
            raise wrong_type(name, "string")
    if body.get("prompt") is not None:
        check_text_or_tokens("prompt", body["prompt"])
    if not isinstance(body.get("input_extra"), list | None):
        raise wrong_type("input_extra", "list")
    check_stream(body)
    check_numbers(body)


def check_props(body: Mapping[str, object]) -> None:
    """`POST /props`."""
    check_numbers(body)


def check_slot_action(slot: str, action: str | None, body: Mapping[str, object]) -> str:
    """`POST /slots/{id}?action=`: return the engine's path. A file has a plain name, never a path."""
    if not slot.isdecimal() or int(slot[:20]) > LARGEST_C_INT:
        raise InvalidRequest("request_error-out_of_range", param="id_slot", minimum=0, maximum=LARGEST_C_INT)
    if action is None:
        raise InvalidRequest("request_error-missing_param", param="action")
    if action not in SLOT_ACTIONS:
        raise wrong_type("action", '"save", "restore" or "erase"')
    if action != "erase":
        name = required(body, "filename")
        if not isinstance(name, str) or not _FILE_NAME.fullmatch(name):
            raise wrong_type("filename", "a plain file name")
    return f"/slots/{int(slot)}?action={action}"


def check_adapters(adapters: Sequence[Mapping[str, object]]) -> None:
    """`POST /lora-adapters`: adapters by `id`, each with its `scale`."""
    for adapter in adapters:
        check_number("id", required(adapter, "id"), 0, LARGEST_C_INT)
        check_number("scale", adapter.get("scale"), -LARGEST_C_INT, LARGEST_C_INT)
