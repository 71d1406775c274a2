"""`llamero doctor --bundle [FILE]`: what a bug report needs, in one file to look through before it is sent."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from llamero.infrastructure.build_info import read_build_info
from llamero.infrastructure.llama.engine_choice import EngineChoice
from llamero.infrastructure.llama.engines import engine_version, list_devices
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.packaged import is_packaged
from llamero.infrastructure.paths import Paths
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.infrastructure.report_bundle import Scrubber, database_facts, last_log, write_bundle
from llamero.infrastructure.secret_masking import register_secret
from llamero.models.errors import IoFailed, LlameroError
from llamero.models.settings import ResolvedSettings

# The environment that changes what Llamero does; values of any other name are not looked at.
_OUR_VARIABLES = ("LLAMERO_", "LLAMA_")
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")


def write_report(
    paths: Paths, resolved: ResolvedSettings, findings: str, wanted: Path | None
) -> tuple[Path, list[str]]:
    """Write the file; return its path and what is in it. `findings` is what the doctor said.

    Raises IoFailed where it cannot be written, or something of that name is there.
    """
    _know_secrets(paths)
    scrubber = Scrubber(_home())
    files = {
        "doctor.txt": scrubber.clean(findings),
        "versions.json": _json(scrubber, _versions()),
        "settings.json": _json(scrubber, _settings(resolved)),
        "engine.json": _json(scrubber, asyncio.run(_engine(paths, resolved))),
        "database.json": _json(scrubber, database_facts(paths.database)),
        "llamero.log": scrubber.clean_log(last_log(paths.logs)),
    }
    described = [f"{name:14} {_text('bundle-' + name.partition('.')[0])}" for name in files]
    read_me = "\n".join([_text("bundle-read_me"), "", *described, ""])
    path = (wanted or Path(time.strftime("llamero-report-%Y%m%d-%H%M%S.zip"))).absolute()
    try:
        write_bundle(path, {"README.txt": read_me, **files})
    except FileExistsError:
        raise IoFailed("bundle_error-exists", path=str(path)) from None
    except OSError as error:
        raise IoFailed("bundle_error-unwritable", path=str(path), reason=error.strerror or str(error)) from error
    return path, described


def _know_secrets(paths: Paths) -> None:
    """Let every key that is within reach be masked, whatever it looks like."""
    for name, value in os.environ.items():
        if any(word in name.upper() for word in _SECRET_WORDS):
            register_secret(value)
    with suppress(IoFailed):
        for key in RemoteKeys(paths.data_dir).in_file():
            register_secret(key)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def _versions() -> dict[str, Any]:
    packages: dict[str, str | None] = {}
    for line in metadata.requires("llamero") or ():
        name = line.partition(";")[0].partition("[")[0].strip().rstrip("=<>~!0123456789., ")
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = None
    return {
        "llamero": msgspec.to_builtins(read_build_info()),
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
        "packaged": is_packaged(),
        "environment": {name: os.environ[name] for name in sorted(os.environ) if name.startswith(_OUR_VARIABLES)},
        "packages": packages,
    }


def _settings(resolved: ResolvedSettings) -> dict[str, Any]:
    return {
        "values": msgspec.to_builtins(resolved.settings),
        "sources": {name: source.value for name, source in resolved.sources.items()},
        "problems": [problem.reason for problem in resolved.problems],
    }


async def _engine(paths: Paths, resolved: ResolvedSettings) -> dict[str, Any]:
    try:
        engine = await EngineChoice(paths.data_dir, engine_version).choose(resolved.settings.engine)
        version = await engine_version(engine)
    except LlameroError as error:
        return {"problem": default_messages().error(error)}
    facts = {**msgspec.to_builtins(engine), "version": version}
    try:
        return {**facts, "devices": msgspec.to_builtins(await list_devices(engine))}
    except LlameroError:
        return facts  # an older engine that does not list them


def _json(scrubber: Scrubber, document: object) -> str:
    cleaned = scrubber.clean_document(msgspec.to_builtins(document))
    return json.dumps(cleaned, indent=2, ensure_ascii=False) + "\n"


def _text(code: str) -> str:
    return default_messages().text(code)
