"""What `llamero ps`, `stop` and `logs` ask of the Llamero that runs, and what it says."""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.llama import ServerPhase

Alias = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Number = Annotated[int, msgspec.Meta(ge=0)]


class ServerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One server. Memory in bytes, None where it is not measured; `uptime_s` since it is ready.

    `held`: it is loaded as soon as others have made room for it.
    `engine_note` says for which engine another stands in, and why.
    """

    model: str
    state: ServerPhase
    held: bool = False
    pid: int | None = None
    port: int | None = None
    uptime_s: float | None = None
    leases: int = 0
    waiting: int = 0
    restarts: int = 0
    memory: int | None = None
    gpu_memory: int | None = None
    reason: str | None = None
    engine_note: str = ""


class RunningServers(msgspec.Struct, frozen=True, kw_only=True):
    """The servers of the Llamero with this pid."""

    pid: int
    servers: tuple[ServerStatus, ...]


class StopServers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop one server, or all."""

    model: Alias | None = None


class StoppedServers(msgspec.Struct, frozen=True, kw_only=True):
    """The models that were running, and are not any more."""

    models: tuple[str, ...]


class ReadOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an engine wrote after the first `written` lines of its process `generation`."""

    model: Alias
    generation: Number = 0
    written: Number = 0


class ReadLog(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last `limit` lines of the log with the number `first` and later ones."""

    first: Number = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=2000)] = 2000
