"""What the actor does. Effects are data; the shell carries them out and their results come back as events."""

from __future__ import annotations

import msgspec

from llamero.models import events as announcements
from llamero.models.llama import Failure, LaunchSpec


class StartServer(msgspec.Struct, frozen=True, tag=True):
    """Start a process. Comes back as Started, StartFailed or, later, Exited.

    `held`: there is no room for its model yet, so it must not load it before `GiveRoom`.
    """

    alias: str
    generation: int
    spec: LaunchSpec
    held: bool = False


class GiveRoom(msgspec.Struct, frozen=True, tag=True):
    """Let a held process load its model."""

    alias: str
    generation: int


class StopServer(msgspec.Struct, frozen=True, tag=True):
    """Close our connections to it, stop it and wait for the whole tree. Comes back as Stopped."""

    alias: str
    generation: int


class Grant(msgspec.Struct, frozen=True, tag=True):
    """Hand a lease on this server to the caller."""

    ticket: int
    lease: int
    alias: str
    generation: int


class Refuse(msgspec.Struct, frozen=True, tag=True):
    """Tell the caller why not. `retry_after` in seconds where waiting helps."""

    ticket: int
    code: str
    failure: Failure | None = None
    retry_after: float | None = None


class Done(msgspec.Struct, frozen=True, tag=True):
    """Tell the caller of Load, Unload, Expire or Close that it is so."""

    ticket: int


class WakeAt(msgspec.Struct, frozen=True, tag=True):
    """Send Woke at this monotonic time; None: no need."""

    at: float | None


class Announce(msgspec.Struct, frozen=True, tag=True):
    """Tell the state listeners."""

    event: announcements.StateEvent


Effect = StartServer | GiveRoom | StopServer | Grant | Refuse | Done | WakeAt | Announce
