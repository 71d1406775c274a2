"""Settings as decided: every value with where it came from. Default < file < environment < command line."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Source(StrEnum):
    """Where a value came from, weakest first."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[engine]`: which llama-server is used, and what every model is started with."""

    path: str = ""
    variant: str = ""
    arguments: tuple[str, ...] = ()
    variant_arguments: tuple[str, ...] = ()
    start_timeout_s: float = 300.0
    stop_grace_s: float = 5.0


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[servers]`: how many models stay loaded, for how long, and how much may wait.

    `memory_budget_gb` 0 means no budget. `keep_alive_s` is as in `LlamaCppConfig`.
    """

    max_loaded: int = 1
    memory_budget_gb: float = 0.0
    keep_alive_s: float = 300.0
    queue_limit: int = 64
    concurrency: int = 256
    crash_limit: int = 3
    crash_window_s: float = 60.0


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[gateway]`: where other programs reach Llamero. Hosts and origins beyond loopback are listed by the user."""

    host: str = "127.0.0.1"
    port: int = 5526
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    max_body_mb: int = 64
    max_streams: int = 256


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[metrics]`: seconds between samples while nobody looks, and while somebody does."""

    idle_interval_s: float = 30.0
    active_interval_s: float = 1.0


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. The field names are the tables and keys of `settings.toml`."""

    engine: EngineSettings = EngineSettings()
    servers: ServerSettings = ServerSettings()
    gateway: GatewaySettings = GatewaySettings()
    metrics: MetricsSettings = MetricsSettings()


class SettingsProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in the settings file: the key (`gateway.port`, or empty for the file) and a sentence."""

    key: str
    reason: str


class ResolvedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`sources` maps `table.key` to where its value came from."""

    settings: Settings
    sources: dict[str, Source]
    problems: tuple[SettingsProblem, ...] = ()
