"""What is asked of a remote server that speaks OpenAI, and where its keys are kept."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from llamero.models.aliases import ApiModel


class RemoteRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request to a remote server. `endpoint` is the engine's path; `content` is sent as it is, with its type."""

    api: ApiModel
    endpoint: str
    method: str = "POST"
    content: bytes | None = None
    content_type: str = "application/json"


class KeyState(StrEnum):
    """What is known of a remote server's key. A server that was not asked yet has said nothing about it."""

    NONE = "none"
    MISSING = "missing"
    """There is none, and the server asks for one."""
    KEPT = "kept"
    REJECTED = "rejected"
    """There is one, and the server does not take it."""
    UNREADABLE = "unreadable"
    """Whoever keeps it does not give it out now."""


class KeyPlace(StrEnum):
    """Where the keys of remote servers are kept."""

    KEYRING = "keyring"
    FILE = "file"
