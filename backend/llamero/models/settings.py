"""Settings as decided: every value with where it came from. Default < file < environment < command line.

Each field says beside itself what may stand in it; `infrastructure/settings_file.py` reads these ranges and keeps no
list of its own. Every number has both bounds, so that infinity and NaN are out of range everywhere. In `Meta.extra`,
`expected` names the words for a kind of text (`settings-expected-…` in `locale/`), and `text` says how one line of
text, as an environment variable is one, becomes a list: `line` keeps it whole, otherwise commas and spaces separate.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

DAY_S = 86_400.0

Text = Annotated[str, Meta(pattern=r"\A[^\x00-\x1f\x7f]*\Z", max_length=8192)]
# A variant names a directory of ours, so it may neither climb out of it nor hide in it.
VariantName = Annotated[str, Meta(pattern=r"\A([A-Za-z0-9][A-Za-z0-9._-]{0,63})?\Z", extra={"expected": "name"})]
HostName = Annotated[str, Meta(pattern=r"\A[A-Za-z0-9:.%_-]{1,255}\Z", extra={"expected": "host"})]
Origin = Annotated[str, Meta(pattern=r"\Ahttps?://[^/\s?#@*]{1,255}\Z", extra={"expected": "origin"})]
# The engine's flags are split where they are parsed, quotes and all; splitting them here as well would do it twice.
FlagText = Annotated[str, Meta(pattern=r"\A[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\Z", max_length=65_536)]
FlagLines = Annotated[tuple[FlagText, ...], Meta(extra={"text": "line", "expected": "flags"})]
# One line of text is one folder: its name may have spaces.
Folders = Annotated[tuple[Text, ...], Meta(extra={"text": "line", "expected": "folders"})]
Port = Annotated[int, Meta(ge=0, le=65_535)]
Count = Annotated[int, Meta(ge=1, le=65_536)]
CountOrNone = Annotated[int, Meta(ge=0, le=65_536)]
Wait = Annotated[float, Meta(ge=0, le=DAY_S)]
Period = Annotated[float, Meta(ge=0.1, le=DAY_S)]


class Source(StrEnum):
    """Where a value came from, weakest first."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    COMMAND_LINE = "command line"


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[engine]`: which llama-server is used, and what every model is started with."""

    path: Text = ""
    variant: VariantName = ""
    arguments: FlagLines = ()
    variant_arguments: FlagLines = ()
    start_timeout_s: Period = 300.0
    stop_grace_s: Wait = 5.0


class ServerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[servers]`: how many models stay loaded, for how long, and how much may wait.

    `memory_budget_gb` 0 means no budget. `keep_alive_s` is as in `LlamaCppConfig`.
    """

    max_loaded: Count = 1
    memory_budget_gb: Annotated[float, Meta(ge=0, le=1_048_576)] = 0.0
    keep_alive_s: Annotated[float, Meta(ge=-1, le=365 * DAY_S)] = 300.0
    queue_limit: CountOrNone = 64
    concurrency: Count = 256
    crash_limit: Count = 3
    crash_window_s: Period = 60.0


class GatewaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[gateway]`: where other programs reach Llamero. Hosts and origins beyond loopback are listed by the user.

    `ollama_port`, where it is not 0, is a second port on the same addresses. Beyond loopback a key is always required.
    """

    host: HostName = "127.0.0.1"
    port: Port = 5526
    ollama_port: Port = 0
    require_key: bool = False
    allowed_hosts: tuple[HostName, ...] = ()
    allowed_origins: tuple[Origin, ...] = ()
    max_body_mb: Annotated[int, Meta(ge=1, le=4096)] = 64
    max_streams: Count = 256


class RemoteSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[remote]`: how servers elsewhere are reached.

    One that says nothing for `silence_limit_s` is given up. `proxies_from_environment` goes by HTTP_PROXY, HTTPS_PROXY
    and NO_PROXY.
    """

    silence_limit_s: Period = 600.0
    proxies_from_environment: bool = False


class ModelSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[models]`: where model files are looked for, besides the hub's cache. No folders: the one of Llamero's own."""

    folders: Folders = ()


class MetricsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[metrics]`: seconds between samples while nobody looks, and while somebody does."""

    idle_interval_s: Period = 30.0
    active_interval_s: Period = 1.0


class ResponsesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[responses]`: how long what programs asked by `/v1/responses` is kept, and how much of it at most.

    Responses that build on each other are a conversation. Days count from its last one; beyond `max_mb` the
    conversations go in which nothing was said for the longest.
    """

    keep_days: Annotated[int, Meta(ge=1, le=36_500)] = 30
    max_mb: Annotated[int, Meta(ge=1, le=1_048_576)] = 1024


class InspectorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[inspector]`: what of requests is kept in memory, to be looked at in the window.

    Without `content` only how they went is kept, and the window cannot change that. `max_requests` 0 keeps nothing;
    bodies and events take `max_mb` at most.
    """

    content: bool = True
    max_requests: Annotated[int, Meta(ge=0, le=10_000)] = 200
    max_mb: Annotated[int, Meta(ge=1, le=4096)] = 32


class DesktopSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[desktop]`: how Llamero lives beside other programs. They count at once, without a restart.

    Closing the window leaves Llamero in the tray only where there is one. `notify_after_s` is how long an answer must
    have taken; a download that ends is always told.
    """

    close_to_tray: bool = False
    start_at_login: bool = False
    notify: bool = True
    notify_after_s: Wait = 10.0


class UpdateSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`[updates]`: whether Llamero looks for a newer release by itself. It never installs one."""

    check: bool = False


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings. The field names are the tables and keys of `settings.toml`."""

    engine: EngineSettings = EngineSettings()
    servers: ServerSettings = ServerSettings()
    gateway: GatewaySettings = GatewaySettings()
    remote: RemoteSettings = RemoteSettings()
    models: ModelSettings = ModelSettings()
    metrics: MetricsSettings = MetricsSettings()
    responses: ResponsesSettings = ResponsesSettings()
    inspector: InspectorSettings = InspectorSettings()
    desktop: DesktopSettings = DesktopSettings()
    updates: UpdateSettings = UpdateSettings()


class SettingsProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One thing wrong in the settings: the key (`gateway.port`, or empty for the file) and a sentence.

    `code` is the message behind the sentence; `source` says who set what could not be used.
    """

    key: str
    reason: str
    code: str = ""
    source: Source = Source.FILE


class ResolvedSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`sources` maps `table.key` to where its value came from."""

    settings: Settings
    sources: dict[str, Source]
    problems: tuple[SettingsProblem, ...] = ()
