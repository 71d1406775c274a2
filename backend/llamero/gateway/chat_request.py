"""Checks a chat request before an engine sees it."""

from __future__ import annotations

from collections.abc import Mapping

from llamero.gateway.fields import check_model, check_numbers, check_stream, required, wrong_type


def check_chat_request(body: Mapping[str, object]) -> str:
    """Return the model's name. Raises `InvalidRequest` naming the first field at fault.

    An empty list of messages is the engine's to judge: some templates start a conversation from nothing.
    """
    model = check_model(body)
    if not isinstance(required(body, "messages"), list):
        raise wrong_type("messages", "list")
    check_stream(body)
    check_numbers(body)
    return model
