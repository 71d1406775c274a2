"""What the command line said, and what every command makes of it first: directories, log, settings."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from llamero.infrastructure.paths import Paths
    from llamero.infrastructure.settings_store import SettingsStore
    from llamero.models.settings import ResolvedSettings


class Options(argparse.Namespace):
    """The options of every command; those that a command does not have keep these values.

    `log_file` is not an option: it is where the log went, once it is open.
    """

    command: str | None = None
    data_dir: Path | None = None
    log_level: str = "info"
    log_file: Path | None = None
    host: str | None = None
    port: int | None = None
    model: Path | None = None
    api_key_file: Path | None = None
    ui: bool = False
    selftest: bool = False
    background: bool = False
    yes: bool = False
    keep_models: bool = False
    new_chat: bool = False
    file: Path = Path()
    prompt: str | None = None
    ollama_port: int | None = None
    action: str = ""
    name: str = ""
    scope: list[str] | None = None
    rate: int | None = None
    streams: int | None = None
    days: int | None = None
    new_name: str = ""
    json: bool = False
    all: bool = False
    follow: bool = False
    lines: int | None = None
    bundle: str | None = None
    model_file: Path | None = None
    hub: str = ""
    defaults: list[str] | None = None
    system: str = ""
    arguments: list[str] | None = None
    keep_alive: float | None = None
    embedding: bool = False
    context: int | None = None
    gpu_layers: int | None = None
    threads: int | None = None
    parallel: int | None = None
    rpc: list[str] | None = None
    url: str = ""
    prefix: str = ""
    models: list[str] | None = None
    forward_all: bool = False
    headers: list[str] | None = None
    strip: list[str] | None = None
    key_file: Path | None = None
    targets: list[str] | None = None
    cooldown: float | None = None
    aliases: list[str] | None = None
    quick: bool = False
    list: bool = False

    @property
    def debug(self) -> bool:
        """Does the user want to see everything?"""
        return self.log_level == "debug"


class Ground(NamedTuple):
    """What a command stands on. `store` is where the settings came from."""

    paths: Paths
    resolved: ResolvedSettings
    store: SettingsStore


def prepare(options: Options, overrides: Mapping[str, object], *, console_level: str) -> Ground:
    """Make and check the directories, open the log, read the settings.

    stderr gets records from `console_level` on, or all of them with `--log-level debug`. Raises `IoFailed` for a data
    directory that cannot be used.
    """
    import os

    from llamero.infrastructure.logs import configure_logging
    from llamero.infrastructure.paths import find_paths
    from llamero.infrastructure.settings_store import SettingsStore

    paths = find_paths(options.data_dir)
    paths.prepare()
    console = "debug" if options.debug else console_level
    options.log_file = configure_logging(options.log_level, paths.logs, console)
    store = SettingsStore(paths.settings_file, os.environ, overrides)
    return Ground(paths, store.load(), store)
