"""Commands of the gateway: names of the user's own, remote servers, fallbacks and API keys."""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.access import KeyName, KeyTerms
from llamero.models.aliases import Alias, AliasName
from llamero.models.remote import KeyState


class SaveAlias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep an alias, in the place of the one of that name or of `former`. `key` is a remote server's; None keeps it.

    `place` counts from 0 and is for one that is to stand elsewhere, as one that comes back.
    """

    alias: Alias
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    former: AliasName | None = None
    place: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None


class DeleteAlias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Know an alias no longer; the model's file stays."""

    name: AliasName


class SavedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """An alias as it was kept, and sentences that the person should read."""

    alias: Alias
    notices: tuple[str, ...] = ()


class DeletedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences that the person should read."""

    notices: tuple[str, ...] = ()


class PausedName(msgspec.Struct, frozen=True, kw_only=True):
    """A target of fallbacks that failed, and comes last until then, in seconds since the epoch."""

    name: str
    until: float
    reason: str


class AliasConditions(msgspec.Struct, frozen=True, kw_only=True):
    """How names do: the key of each remote server, by the server's name, and the targets that are left alone."""

    keys: dict[str, KeyState] = {}
    paused: tuple[PausedName, ...] = ()


class CreateApiKey(KeyTerms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a key for other programs."""


class RevokeApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let nobody in with this key any more."""

    name: KeyName
