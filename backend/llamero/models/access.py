"""Access to the gateway: where it is, and its API keys: what is known about one, and what it may do.

A key itself is shown once, when it is made; afterwards only its digest is known.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

KeyName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}\Z")]
PerMinute = Annotated[int, Meta(ge=1, le=1_000_000)]
Streams = Annotated[int, Meta(ge=1, le=65_536)]
Days = Annotated[float, Meta(gt=0, le=36_500)]


class Scope(StrEnum):
    """What a key is for: asking models, or looking after this machine (loading, unloading, metrics)."""

    INFERENCE = "inference"
    MANAGEMENT = "management"


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key as people see it. Times are seconds since the epoch; None stands for never and for no limit.

    `start` is how the key begins, to tell keys apart; `streams` are answers at once; `last_used_at` may be a minute
    behind.
    """

    id: str
    name: KeyName
    start: str
    scopes: tuple[Scope, ...]
    created_at: float
    expires_at: float | None = None
    last_used_at: float | None = None
    revoked_at: float | None = None
    requests_per_minute: int | None = None
    streams: int | None = None

    def is_valid(self, now: float) -> bool:
        """Tell whether the key lets anybody in at that time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


class GatewayState(msgspec.Struct, frozen=True, kw_only=True):
    """Where other programs find the gateway. Addresses are base URLs without a path, for programs on this machine.

    `ollama_port` is the second port that is wanted, 0 for none; `ollama_url` is None where it is not open, because none
    is wanted or another program has it. `key_required` tells whether nobody is let in without a key.
    """

    url: str
    ollama_port: int = 0
    ollama_url: str | None = None
    key_required: bool = False


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a new key shall be and may do. `days` until it expires."""

    name: KeyName
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=2)] = (Scope.INFERENCE,)
    days: Days | None = None
    requests_per_minute: PerMinute | None = None
    streams: Streams | None = None


class NewApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that has just been made. `secret` is what clients send, and is nowhere else."""

    secret: str
    key: ApiKey

    def __repr__(self) -> str:
        return f"NewApiKey(key={self.key!r})"


class StoredKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key with the SHA-256 digest of its secret."""

    digest: bytes
    key: ApiKey

    def __repr__(self) -> str:
        return f"StoredKey(key={self.key!r})"
