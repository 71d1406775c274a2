"""What is said about models and the servers that run them.

A `LaunchSpec` is everything that makes two servers different: same spec, same server. A `ServerSnapshot` is advisory:
it may be shown, it may not gate a change of state (state an intent to the actor instead).
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import msgspec


class ModelId(msgspec.Struct, frozen=True, order=True):
    """A model as clients name it (`alias`) and as the disk has it (`path`)."""

    alias: str
    path: str

    @classmethod
    def from_file(cls, path: Path) -> ModelId:
        """Name a file by its stem, which is what people call it."""
        return cls(alias=path.stem, path=str(path))


class LlamaCppConfig(msgspec.Struct, frozen=True, kw_only=True):
    """Hardware and context parameters of one model; None leaves the choice to the engine.

    `arguments` are llama-server flags as a person writes them, the alias tier of the merge. `keep_alive_s`: idle
    seconds until unload; negative keeps the model loaded, 0 unloads when no request is in flight. `keep_at_least_s`, in
    the same terms, counts only where it is longer. `rpc` are `host:port` of machines that share the model.
    """

    model: ModelId
    context_length: int | None = None
    gpu_layers: int | None = None
    threads: int | None = None
    batch_size: int | None = None
    parallel: int | None = None
    embedding: bool = False
    arguments: tuple[str, ...] = ()
    keep_alive_s: float | None = None
    keep_at_least_s: float | None = None
    rpc: tuple[str, ...] = ()


class EngineKind(StrEnum):
    """Where an engine was found, in order of preference."""

    SETTINGS = "settings"
    INSTALLED = "installed"
    PATH = "path"
    BUNDLED = "bundled"
    EMBEDDED = "embedded"


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """An engine of the package that does not start on this machine. `reason` is part of a sentence."""

    CODE: ClassVar[str] = "engine_error-passed_over"

    variant: str
    reason: str


class Engine(msgspec.Struct, frozen=True):
    """An engine that can be started: `command` is the argv prefix before llama-server's own flags.

    `instead_of` is the one that would have been used, if it had started.
    """

    kind: EngineKind
    command: tuple[str, ...]
    variant: str = "cpu"
    instead_of: PassedOver | None = None


class EngineDevice(msgspec.Struct, frozen=True, kw_only=True):
    """One device that an engine can offload to, named as its `--device` wants it; memory in bytes."""

    name: str
    description: str = ""
    memory_total: int | None = None
    memory_free: int | None = None


class LaunchFlag(msgspec.Struct, frozen=True):
    """A flag as a person would write it, and who asked for it: settings, variant, alias, config, or the model."""

    text: str
    origin: str


class LaunchSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that makes two servers different, decided before the actor is asked.

    `arguments` is the merged argv without `--alias --model --port`, which the server adds. `memory_bytes` is an
    estimate used for the memory budget. `flags` says where the arguments come from, for people to see.
    """

    model: ModelId
    engine: Engine
    arguments: tuple[str, ...] = ()
    keep_alive_s: float = 300.0
    memory_bytes: int = 0
    flags: tuple[LaunchFlag, ...] = ()

    def runs_like(self, other: LaunchSpec) -> bool:
        """Would a server started for one do for the other? Neither the alias nor the keep-alive reaches the process."""
        return self.model.path == other.model.path and self.engine == other.engine and self.arguments == other.arguments


class ServerPhase(StrEnum):
    """The life of one server."""

    STOPPED = "stopped"
    STARTING = "starting"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server takes at once, in its own words: requests, and tokens of context that one of them may hold.

    None: it does not say. `is_shared`: what they hold together is no more than what one of them may.
    """

    slots: int | None = None
    context: int | None = None
    is_shared: bool = False


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why a server is `failed`: an error code with its arguments, the exit status and the last lines it wrote."""

    code: str
    arguments: dict[str, str | int | float] = {}
    exit_status: int | None = None
    log_tail: tuple[str, ...] = ()


class OutputLines(msgspec.Struct, frozen=True, kw_only=True):
    """The last lines of a process, oldest first. `written` counts all that it ever wrote."""

    written: int
    lines: tuple[str, ...]


class ServerExit(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a process that nobody asked for. `at` is monotonic; `ran_s` is since it was ready, None if never."""

    at: float
    failure: Failure
    ran_s: float | None = None


class ServerSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """One server as last published. `generation` grows with every process started; times are monotonic seconds.

    `held`: it starts, but its model is not loaded before there is room for it.
    `exits` are the last ends of its processes that nobody asked for, oldest first.

    `memory_bytes` is the estimate of its plan, 0 where there is none. `expires_at` is when it is unloaded if nothing is
    asked of it until then, None while it is in use or kept for good; `keep_alive_s` as in `LlamaCppConfig`.
    """

    model: ModelId
    phase: ServerPhase
    generation: int
    held: bool = False
    leases: int = 0
    restarts: int = 0
    since: float = 0.0
    pid: int | None = None
    port: int | None = None
    failure: Failure | None = None
    variant: str = "cpu"
    memory_bytes: int = 0
    keep_alive_s: float = 300.0
    expires_at: float | None = None
    engine: Engine | None = None
    flags: tuple[LaunchFlag, ...] = ()
    exits: tuple[ServerExit, ...] = ()
    limits: ServerLimits = ServerLimits()


class ActorSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the actor knows, at one moment. `queue` is how many wait for each model, by its alias."""

    servers: tuple[ServerSnapshot, ...] = ()
    queue: dict[str, int] = {}
    waiting: int = 0
    stopping: bool = False
