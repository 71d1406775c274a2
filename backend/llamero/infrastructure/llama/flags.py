"""Learns an engine's flags from its own `--help`, once per binary.

The result is kept in `<cache_dir>/engine-flags.json`, one entry per engine, and is valid as long as the engine looks
the same: for an executable its size and time of change, for the embedded engine the versions that it is made of. The
cache is only ever a short cut: whatever is wrong with the file, the engine is asked again and the file written anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import tempfile
from pathlib import Path

import msgspec

from llamero import __version__
from llamero.infrastructure.llama.flag_table import EngineFlags
from llamero.infrastructure.llama.help_text import parse_help
from llamero.infrastructure.llama.probe import probe
from llamero.models.errors import EngineFailed
from llamero.models.llama import Engine, EngineKind

CACHE_NAME = "engine-flags.json"
# Raised whenever the reading of help texts changes, so that no older reading is used.
READING = 1
_CACHE_LIMIT = 4 * 1024 * 1024
_ENTRIES = 16
_logger = logging.getLogger(__name__)


class _Entry(msgspec.Struct, frozen=True):
    key: str  # which engine
    looks: str  # how it looked when it was asked
    flags: EngineFlags


class _Cache(msgspec.Struct, frozen=True):
    written_by: str
    entries: tuple[_Entry, ...] = ()


_WRITER = f"{__version__}/{READING}"


async def learn_flags(engine: Engine, cache_dir: Path, *, timeout: float = 10.0) -> EngineFlags:
    """The flags that `engine` has, from the cache or from its `--help`; `timeout` in seconds.

    Raises EngineNotFound when it cannot be started, EngineFailed (`engine_error-help_failed`, with its `path`) when it
    fails, does not answer in time, or answers with something that does not describe a llama-server.
    """
    key = " ".join(engine.command)
    looks = await asyncio.to_thread(_looks, engine)
    file = cache_dir / CACHE_NAME
    entries = await asyncio.to_thread(_read_cache, file)
    for entry in entries:
        if entry.key == key and entry.looks == looks:
            return entry.flags
    flags = await _ask(engine, timeout)
    others = tuple(entry for entry in entries if entry.key != key)[-_ENTRIES + 1 :]
    await asyncio.to_thread(_write_cache, file, _Cache(_WRITER, (*others, _Entry(key, looks, flags))))
    return flags


async def _ask(engine: Engine, timeout: float) -> EngineFlags:
    code, path = "engine_error-help_failed", engine.command[0]
    try:
        answer = await probe(engine.command, "--help", timeout=timeout)
    except EngineFailed as error:
        reason = str(error.arguments["reason"])
        raise EngineFailed(
            code, reason=reason, exit_status=error.exit_status, log_tail=error.log_tail, path=path
        ) from error
    flags = EngineFlags(parse_help(answer.text))
    if flags.find("--model") is None or flags.find("--port") is None:
        tail = tuple(answer.text[-8192:].splitlines()[-5:])
        reason = "its --help does not describe a llama-server"
        raise EngineFailed(code, reason=reason, exit_status=answer.status, log_tail=tail, path=path)
    return flags


def _looks(engine: Engine) -> str:
    """Something that changes whenever the engine may have got other flags."""
    if engine.kind is EngineKind.EMBEDDED:
        from importlib import metadata  # brings a reader of zip files and of mail along, and is not often needed

        try:
            version = metadata.version("xllamacpp")
        except metadata.PackageNotFoundError:
            version = "?"
        modules = sorted(Path(__file__).parent.glob("embedded*.py")) or [Path(sys.executable)]
        return ", ".join((f"xllamacpp {version}", f"llamero {__version__}", *map(_file_looks, modules)))
    # A shared build keeps its flags in a library beside a tiny executable.
    executable = Path(engine.command[0])
    libraries: list[Path] = []
    with contextlib.suppress(OSError):
        libraries = sorted(executable.resolve().parent.glob("*llama-common*"))
    return ", ".join(filter(None, map(_file_looks, (executable, *libraries))))


def _file_looks(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:
        return ""
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def _read_cache(file: Path) -> tuple[_Entry, ...]:
    try:
        with file.open("rb") as stream:
            content = stream.read(_CACHE_LIMIT)
        cache = msgspec.json.decode(content, type=_Cache)
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _logger.warning("engine flags are learnt again: %s is not usable: %s", file, error)
        return ()
    return cache.entries if cache.written_by == _WRITER else ()


def _write_cache(file: Path, cache: _Cache) -> None:
    """Write the whole file or nothing. Failing costs only the short cut."""
    name = ""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{CACHE_NAME}-")
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.encode(cache))
        Path(name).replace(file)
    except OSError as error:
        _logger.warning("engine flags are not kept: %s", error)
        if name:
            with contextlib.suppress(OSError):
                Path(name).unlink()
