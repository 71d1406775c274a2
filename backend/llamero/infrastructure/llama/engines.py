"""Finds the engine to start: settings, an installed variant, `llama-server` on PATH, the package's own, the embedded.

What the settings name is used or refused with the reason, never passed over in silence; only where they name nothing
does the search go on. A directory on PATH counts only when it is absolute: an engine must not come from whatever
directory Llamero was started in.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from llamero.infrastructure.llama.bundled import bundled_engine, bundled_folder
from llamero.infrastructure.llama.cpu_features import CpuReader, cpu_features, lacks_avx2
from llamero.infrastructure.llama.probe import probe
from llamero.infrastructure.packaged import EMBEDDED_ENGINE_ROLE, is_packaged, own_program
from llamero.models.errors import EngineNotFound
from llamero.models.llama import Engine, EngineDevice, EngineKind
from llamero.models.settings import EngineSettings

__all__ = ["cpu_features", "embedded_command", "engine_version", "find_engine", "installed_variants", "list_devices"]

EXECUTABLE = "llama-server.exe" if sys.platform == "win32" else "llama-server"
EMBEDDED_VARIANT = "embedded"
EMBEDDED_MODULE = "llamero.infrastructure.llama.embedded"
_VARIANT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
_DEVICE = re.compile(r"\s+(?P<name>\S+): (?P<about>.*?)(?: \((?P<total>\d+) MiB, (?P<free>\d+) MiB free\))?\s*")
_STARTS_LLAMERO = re.compile(rb"(?:import|from|-m)\s+llamero\b|(?:\bexec\s+|/)llamero(?=[\s\"']|$)")
_SCRIPT_HEAD = 4096  # an entry point that calls this package is much shorter
_MIB = 1024 * 1024


def _has_xllamacpp() -> bool:
    return importlib.util.find_spec("xllamacpp") is not None


def find_engine(
    settings: EngineSettings,
    data_dir: Path,
    *,
    environment: Mapping[str, str] | None = None,
    read_cpu: CpuReader = cpu_features,
    has_xllamacpp: Callable[[], bool] = _has_xllamacpp,
    find_bundled: Callable[[], Path | None] = bundled_folder,
) -> Engine:
    """The engine to use. `settings.variant` may be `embedded`, which skips the search; other variants are looked for
    among those installed and those that came along.

    Raises EngineNotFound, whose argument `path` says what was meant: `context_error-exec_not_exists` and
    `context_error-exec_not_executable` for what the settings name, `engine_error-xllamacpp_missing` and
    `engine_error-cpu_without_avx2` where only the embedded engine is left and cannot run.
    """
    if settings.path:
        path = _expanded(settings.path)
        _require_executable(path)
        return Engine(EngineKind.SETTINGS, (str(path),))
    if settings.variant and settings.variant != EMBEDDED_VARIANT:
        path = data_dir / "engines" / settings.variant / EXECUTABLE
        if not _VARIANT_NAME.fullmatch(settings.variant):
            raise EngineNotFound(path=settings.variant)
        if not path.exists() and (bundled := bundled_engine(find_bundled(), settings.variant)):
            return bundled
        _require_executable(path)
        return Engine(EngineKind.INSTALLED, (str(path),), settings.variant)
    if not settings.variant:
        for variant, path in installed_variants(data_dir):
            return Engine(EngineKind.INSTALLED, (str(path),), variant)
        for path in _on_path(os.environ if environment is None else environment):
            return Engine(EngineKind.PATH, (str(path),))
        if bundled := bundled_engine(find_bundled()):
            return bundled
    if not has_xllamacpp():
        raise EngineNotFound("engine_error-xllamacpp_missing", path="xllamacpp")
    if lacks_avx2(read_cpu()):
        raise EngineNotFound("engine_error-cpu_without_avx2", path="xllamacpp")
    return Engine(EngineKind.EMBEDDED, embedded_command())


def embedded_command() -> tuple[str, ...]:
    """The argv prefix of the embedded engine: this Python, or the packaged application itself."""
    if is_packaged():
        return (own_program(), EMBEDDED_ENGINE_ROLE)
    return (sys.executable, "-m", EMBEDDED_MODULE)


def installed_variants(data_dir: Path) -> tuple[tuple[str, Path], ...]:
    """Variants under `<data_dir>/engines` that can be started, with their executables, newest first."""
    found: list[tuple[int, str, Path]] = []
    try:
        directories = list((data_dir / "engines").iterdir())
    except OSError:
        return ()
    for directory in directories:
        path = directory / EXECUTABLE
        if _VARIANT_NAME.fullmatch(directory.name) and is_executable(path):
            found.append((path.stat().st_mtime_ns, directory.name, path))
    return tuple((name, path) for _, name, path in sorted(found, reverse=True))


def is_executable(path: Path) -> bool:
    """A file that this user may start. What cannot even be looked at is none."""
    try:
        return path.is_file() and os.access(path, os.X_OK)
    except OSError:
        return False


async def engine_version(engine: Engine, *, timeout: float = 10.0) -> str:
    """The line in which the engine names its version. Raises EngineNotFound or EngineFailed when it does not answer."""
    lines = [line.strip() for line in (await probe(engine.command, "--version", timeout=timeout)).text.splitlines()]
    named = next((line for line in lines if line.startswith("version")), None)
    return (named or next(filter(None, lines), ""))[:200]


async def list_devices(engine: Engine, *, timeout: float = 20.0) -> tuple[EngineDevice, ...]:
    """What the engine can offload to, as its `--list-devices` has it. Raises EngineNotFound or EngineFailed."""
    text = (await probe(engine.command, "--list-devices", timeout=timeout)).text
    _, _, listing = text.partition("Available devices:")
    return tuple(
        EngineDevice(
            name=match["name"],
            description=match["about"],
            memory_total=int(match["total"]) * _MIB if match["total"] else None,
            memory_free=int(match["free"]) * _MIB if match["free"] else None,
        )
        for match in map(_DEVICE.fullmatch, listing.splitlines())
        if match is not None
    )


def _expanded(text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # `~name` of a user who does not exist
        return Path(text).absolute()


def _require_executable(path: Path) -> None:
    """Raises EngineNotFound with the code that says which of the two is wrong."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        denied = isinstance(error, PermissionError)
        code = "context_error-exec_not_executable" if denied else "context_error-exec_not_exists"
        raise EngineNotFound(code, path=str(path)) from None
    if not is_executable(path):
        raise EngineNotFound("context_error-exec_not_executable", path=str(path))


def _on_path(environment: Mapping[str, str]) -> Iterator[Path]:
    """`llama-server` in each directory of PATH, in order, but never Llamero under that name."""
    for entry in environment.get("PATH", "").split(os.pathsep):
        directory = Path(entry.strip('"'))
        path = directory / EXECUTABLE
        if directory.is_absolute() and is_executable(path) and not _is_ourselves(path):
            yield path


def _is_ourselves(path: Path) -> bool:
    """Our own interpreter, package or packaged application, however linked or named: it would start itself for ever."""
    resolved = path.resolve()
    package = Path(__file__).resolve().parents[2]
    if resolved in (Path(sys.executable).resolve(), Path(sys.argv[0]).resolve()) or resolved.is_relative_to(package):
        return True
    try:
        with resolved.open("rb") as stream:
            head = stream.read(_SCRIPT_HEAD)
    except OSError:
        return False
    interpreter, _, body = head.partition(b"\n")
    return interpreter.startswith(b"#!") and _STARTS_LLAMERO.search(body) is not None
