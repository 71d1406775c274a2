"""What the servers view and the log view ask and get over the bridge. Times are seconds since the epoch."""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.bridge.fields import Identifier
from llamero.models.bridge.servers import ServerInfo
from llamero.models.llama import EngineKind, LaunchFlag
from llamero.models.logs import LogLines


class ExitInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a process that nobody asked for. `ran_s`: for so long it had been ready; None if it never was."""

    at: float
    reason: str
    exit_status: int | None = None
    ran_s: float | None = None


class ServerDetails(msgspec.Struct, frozen=True, kw_only=True):
    """What a person may want to know about one server. `engine` is None for a model that has none, and `engine_note`
    says for which engine it stands in and why.

    `command` is the engine's program with its own words; `flags` are those of this very process. `unloads_at` is when
    it goes if nothing is asked of it until then; `keep_alive_s` as in `ModelInfo`; `memory_bytes` is an estimate.
    """

    server: ServerInfo
    model_path: str | None = None
    generation: int = 0
    port: int | None = None
    engine: EngineKind | None = None
    variant: str = ""
    engine_note: str = ""
    command: tuple[str, ...] = ()
    flags: tuple[LaunchFlag, ...] = ()
    exits: tuple[ExitInfo, ...] = ()
    memory_bytes: int = 0
    keep_alive_s: float | None = None
    unloads_at: float | None = None


class GetServerOutput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an engine wrote after the first `written` lines of its process `generation`."""

    alias: Identifier
    generation: Annotated[int, msgspec.Meta(ge=0)] = 0
    written: Annotated[int, msgspec.Meta(ge=0)] = 0


class ServerOutput(msgspec.Struct, frozen=True, kw_only=True):
    """Lines of an engine, oldest first. Another `generation` than was asked for: another process, from its start."""

    generation: int
    written: int
    lines: tuple[str, ...]


class WatchLogs(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody watches the log (or no longer does): new lines come as the event `logs` meanwhile."""

    watching: bool


class LogHistory(msgspec.Struct, frozen=True, kw_only=True):
    """The last lines of the log, and where its file is."""

    path: str | None
    history: LogLines
