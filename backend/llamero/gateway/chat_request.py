"""Checks a chat request before an engine sees it."""

from __future__ import annotations

from collections.abc import Mapping

from llamero.gateway.fields import (
    check_model,
    check_numbers,
    check_stop,
    check_stream,
    check_stream_options,
    required,
    wrong_type,
)


def check_chat_request(body: Mapping[str, object]) -> str:
    """Return the model's name. Raises `InvalidRequest` naming the first field at fault.

    An empty list of messages is the engine's to judge: some templates start a conversation from nothing.
    """
    model = check_model(body)
    messages = required(body, "messages")
    if not isinstance(messages, list):
        raise wrong_type("messages", "list")
    for number, message in enumerate(messages):
        if not isinstance(message, dict):
            raise wrong_type(f"messages[{number}]", "object")
    if not isinstance(body.get("response_format"), dict | None):
        raise wrong_type("response_format", "object")
    check_stream(body)
    check_stream_options(body)
    check_stop(body.get("stop"))
    check_numbers(body)
    return model
