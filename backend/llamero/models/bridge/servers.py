"""Commands of models and of the servers that run them, and what the page is told of both. Memory is in bytes."""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.aliases import AliasKind
from llamero.models.bridge.fields import Identifier, Path
from llamero.models.llama import ServerPhase


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be chosen. None of the parameters: the engine's choice. `missing`: its file is not there.

    `sees`: whether it takes pictures; None where nobody here knows.
    Only `alias` and `kind` say something of what is elsewhere (`api`) or one of several (`fallback`).
    """

    alias: str
    path: str
    kind: AliasKind = AliasKind.MODEL
    is_demo: bool = False
    size_bytes: int | None = None
    architecture: str | None = None
    trained_context: int | None = None
    layers: int | None = None
    embedding: bool = False
    context_length: int | None = None
    gpu_layers: int | None = None
    threads: int | None = None
    keep_alive_s: float | None = None
    missing: bool = False
    sees: bool | None = None


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One server, for people. `reason` says in a sentence why it failed; `log_tail` holds its last lines then.

    `waiting` requests have not got a place on it yet. `held`: it is loaded as soon as others have made room for it.
    """

    alias: str
    phase: ServerPhase
    held: bool = False
    leases: int = 0
    waiting: int = 0
    restarts: int = 0
    since: float | None = None
    pid: int | None = None
    reason: str | None = None
    log_tail: tuple[str, ...] = ()


class AddModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Know a model file by its path."""

    path: Path


class ModelRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model by its alias."""

    alias: Identifier


class StopModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop one model, or all."""

    alias: Identifier | None = None


class ChangeModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is run from the next request on; None: the engine's choice. All fields are set together."""

    alias: Identifier
    context_length: Annotated[int, msgspec.Meta(ge=16, le=16_777_216)] | None = None
    gpu_layers: Annotated[int, msgspec.Meta(ge=-1, le=10_000)] | None = None
    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    keep_alive_s: Annotated[float, msgspec.Meta(ge=-1, le=31_536_000)] | None = None


class ServerLog(msgspec.Struct, frozen=True, kw_only=True):
    """The last lines of an engine, oldest first."""

    alias: str
    lines: tuple[str, ...]
