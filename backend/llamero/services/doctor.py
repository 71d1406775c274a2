"""The doctor: looks at everything that Llamero needs and says what is wrong and what to do, as data.

Invariants: it changes nothing, and it never fails; whatever cannot be looked at is itself a finding.
"""

from __future__ import annotations

import asyncio
import os
import platform
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from llamero.infrastructure.gpu_probe import NONE_FOUND, NONE_FOUND_ELSEWHERE, GpuProbe, GpuReading
from llamero.infrastructure.inspection import (
    check_directory,
    check_port,
    database_abilities,
    free_space,
    is_there,
    listens_for,
    machine_memory,
)
from llamero.infrastructure.llama.args import merge
from llamero.infrastructure.llama.cpu_features import X86, cpu_features, lacks_avx2
from llamero.infrastructure.llama.engine_choice import EngineChoice, Find
from llamero.infrastructure.llama.engines import engine_version, find_engine, list_devices
from llamero.infrastructure.llama.flags import learn_flags
from llamero.infrastructure.messages import Messages, default_messages
from llamero.infrastructure.paths import Paths
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.models.doctor import DatabaseAbilities, Finding, Level, MachineMemory
from llamero.models.errors import IoFailed, LlameroError
from llamero.models.llama import Engine, EngineDevice, EngineKind, PassedOver
from llamero.models.remote import KeyPlace
from llamero.models.settings import ResolvedSettings, Source

GB = 1e9
LITTLE_DISK = 5 * GB  # less than one model of a common size
NO_DISK = 0.1 * GB
LITTLE_MEMORY = 1 * GB
# Problems of the settings that leave the whole file unused; the others cost one value each.
_FILE_UNUSED = frozenset(
    {
        "settings_error-invalid_toml",
        "settings_error-not_utf8",
        "settings_error-too_large",
        "settings_error-not_a_file",
        "settings_error-unreadable",
    }
)
# What a person knows these processor features by, in Linux's spelling.
_FEATURES = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "asimd": "NEON", "sve": "SVE"}


class Doctor:
    """One examination of what these paths and settings lead to. `read_gpus` is asked for the GPUs."""

    def __init__(
        self,
        paths: Paths,
        resolved: ResolvedSettings,
        *,
        messages: Messages | None = None,
        read_gpus: Callable[[], GpuReading] = lambda: GpuProbe().read(),
        keys: RemoteKeys | None = None,
        find: Find = find_engine,
    ) -> None:
        self._paths = paths
        self._engines = EngineChoice(paths.data_dir, engine_version, find)
        self._keys = keys if keys is not None else RemoteKeys(paths.data_dir)
        self._resolved = resolved
        self._messages = messages if messages is not None else default_messages()
        self._read_gpus = read_gpus
        self._engine: Engine | None = None

    async def examine(self) -> tuple[Finding, ...]:
        """Look at everything, in the order in which a person wants to read it."""
        findings: list[Finding] = []
        checks: tuple[tuple[str, Callable[[], Awaitable[list[Finding]]]], ...] = (
            ("doctor-engine", self._examine_engine),
            ("doctor-flags", self._examine_flags),
            ("doctor-processor", self._in_thread(self.judge_processor)),
            ("doctor-gpu", self._examine_gpu),
            ("doctor-memory", self._in_thread(lambda: self.judge_memory(machine_memory()))),
            ("doctor-data", self._in_thread(self._examine_directories)),
            ("doctor-port", self._in_thread(self._examine_port)),
            ("doctor-settings", self._in_thread(self.judge_settings)),
            ("doctor-database", self._in_thread(self._examine_database)),
            ("doctor-keys", self._examine_keys),
        )
        for name, check in checks:
            try:
                findings += await check()
            except Exception as error:
                findings.append(self._finding(name, Level.WARNING, "doctor-failed", {"kind": type(error).__name__}))
        return tuple(findings)

    # The engine

    async def _examine_engine(self) -> list[Finding]:
        name = "doctor-engine"
        try:
            engine = await self._engines.choose(self._resolved.settings.engine)
            version = await engine_version(engine)
        except LlameroError as error:
            return [self._from_error(name, Level.PROBLEM, error)]
        self._engine = engine
        arguments = {"kind": engine.kind.value, "variant": engine.variant, "version": version}
        if engine.kind is not EngineKind.EMBEDDED:
            arguments["path"] = engine.command[0]
        findings = [self._finding(name, Level.OK, "doctor-engine-found", arguments)]
        if passed_over := engine.instead_of:
            told = {"variant": passed_over.variant, "reason": passed_over.reason}
            findings.append(
                self._finding(name, Level.WARNING, PassedOver.CODE, told, "doctor-engine-passed_over-advice")
            )
        return findings

    async def _examine_flags(self) -> list[Finding]:
        """The flags that every model is started with; nothing is said where there are none."""
        settings = self._resolved.settings.engine
        if self._engine is None or not (settings.arguments or settings.variant_arguments):
            return []
        try:
            flags = await learn_flags(self._engine, self._paths.cache)
            merged = merge(settings.arguments, settings.variant_arguments, (), flags)
        except LlameroError as error:
            return [self._from_error("doctor-flags", Level.PROBLEM, error)]
        shown = " ".join(flag.text for flag in merged)
        return [self._finding("doctor-flags", Level.OK, "doctor-flags-understood", {"flags": shown})]

    # The machine

    def judge_processor(self, features: frozenset[str] | None = None, machine: str | None = None) -> list[Finding]:
        """Say what the processor can do; without AVX2 most engines that are ready-made do not run on it."""
        features = features if features is not None else cpu_features()
        machine = machine or platform.machine()
        known = [label for name, label in _FEATURES.items() if features and name in features]
        arguments: dict[str, str | int] = {
            "machine": machine,
            "cores": os.cpu_count() or 0,
            "features": ", ".join(known),
        }
        lacking = lacks_avx2(features, machine)
        name, advice = "doctor-processor", "doctor-processor-advice" if lacking else ""
        level = Level.WARNING if lacking else Level.OK
        findings = [self._finding(name, level, "doctor-processor-is", arguments, advice)]
        is_embedded = self._engine is not None and self._engine.kind is EngineKind.EMBEDDED
        if is_embedded and machine.lower() in X86 and features and "avx512f" in features:
            findings.append(self._finding(name, Level.OK, "doctor-processor-faster"))
        return findings

    async def _examine_gpu(self) -> list[Finding]:
        reading = await asyncio.to_thread(self._read_gpus)
        devices: tuple[EngineDevice, ...] | None = None
        if reading.gpus and self._engine is not None:
            try:
                devices = await list_devices(self._engine)
            except LlameroError:
                devices = None  # an older engine that does not list them
        return self.judge_gpus(reading, devices)

    def judge_gpus(self, reading: GpuReading, devices: tuple[EngineDevice, ...] | None) -> list[Finding]:
        """Say which GPUs there are, and whether the engine can use any. None: the engine was not asked."""
        name = "doctor-gpu"
        findings = [
            self._finding(
                name,
                Level.OK,
                "doctor-gpu-is",
                {"name": gpu.name, "memory": _gigabytes(gpu.memory_total) if gpu.memory_total else ""},
            )
            for gpu in reading.gpus
        ]
        if reading.gpus and devices == ():
            findings.append(self._finding(name, Level.WARNING, "doctor-gpu-unused", {}, "doctor-gpu-advice"))
        if reading.note:
            harmless = reading.note in (*NONE_FOUND.values(), NONE_FOUND_ELSEWHERE)
            level, advice = (Level.OK, "") if harmless else (Level.WARNING, "doctor-gpu-trouble-advice")
            findings.append(self._finding(name, level, "doctor-gpu-note", {"note": reading.note}, advice))
        return findings

    def judge_memory(self, memory: MachineMemory | None) -> list[Finding]:
        """Say how much memory programs can get."""
        name = "doctor-memory"
        if memory is None:
            return [self._finding(name, Level.WARNING, "doctor-unknown")]
        arguments = {"available": _gigabytes(memory.available), "total": _gigabytes(memory.total)}
        if memory.available < LITTLE_MEMORY:
            return [self._finding(name, Level.WARNING, "doctor-memory-is", arguments, "doctor-memory-advice")]
        return [self._finding(name, Level.OK, "doctor-memory-is", arguments)]

    # Directories, port, settings, database

    def _examine_directories(self) -> list[Finding]:
        """The data directory always, the others only where they cannot be used."""
        findings = self._examine_directory("doctor-data", self._paths.data_dir)
        for directory in (
            self._paths.run,
            self._paths.logs,
            self._paths.cache,
            self._paths.engines,
            self._paths.models,
        ):
            inside = directory.is_relative_to(self._paths.data_dir)
            if not inside or (findings[0].level is not Level.PROBLEM and is_there(directory)):
                checked = self._examine_directory("doctor-data", directory)
                findings += [finding for finding in checked if finding.level is Level.PROBLEM]
        return findings

    def _examine_directory(self, name: str, directory: Path) -> list[Finding]:
        try:
            check_directory(directory)
        except IoFailed as error:
            return [self._from_error(name, Level.PROBLEM, error)]
        return self.judge_space(directory, free_space(directory))

    def judge_space(self, directory: Path, free: int | None) -> list[Finding]:
        """Say whether there is room for models. `free` in bytes."""
        arguments = {"path": str(directory), "free": _gigabytes(free) if free is not None else ""}
        if free is None or free >= LITTLE_DISK:
            return [self._finding("doctor-data", Level.OK, "doctor-data-is", arguments)]
        level = Level.PROBLEM if free < NO_DISK else Level.WARNING
        return [self._finding("doctor-data", level, "doctor-data-is", arguments, "doctor-data-advice")]

    def _examine_port(self) -> list[Finding]:
        name, gateway = "doctor-port", self._resolved.settings.gateway
        arguments: dict[str, str | int] = {"host": gateway.host, "port": gateway.port}
        try:
            check_port(gateway.host, gateway.port)
        except IoFailed as error:
            if error.code == "port_error-in_use" and listens_for(self._paths.run, gateway.port):
                return [self._finding(name, Level.OK, "doctor-port-ours", arguments)]
            chosen = self._resolved.sources["gateway.port"] is not Source.DEFAULT
            if error.code == "port_error-in_use" and not chosen:
                return [self._from_error(name, Level.WARNING, error, "doctor-port-advice")]
            return [self._from_error(name, Level.PROBLEM, error)]
        return [self._finding(name, Level.OK, "doctor-port-free" if gateway.port else "doctor-port-any", arguments)]

    def judge_settings(self) -> list[Finding]:
        """Name everything that is wrong in the settings."""
        name, path = "doctor-settings", self._paths.settings_file
        findings = [
            Finding(
                name=self._messages.text(name),
                level=Level.PROBLEM if problem.code in _FILE_UNUSED else Level.WARNING,
                text=problem.reason,
                advice=self._messages.text("doctor-settings-advice", {"path": str(path)})
                if problem.source is Source.FILE and problem.code not in _FILE_UNUSED
                else "",
            )
            for problem in self._resolved.problems
        ]
        if findings:
            return findings
        present = is_there(path)
        code = "doctor-settings-read" if present else "doctor-settings-none"
        return [self._finding(name, Level.OK, code, {"path": str(path)})]

    def _examine_database(self) -> list[Finding]:
        return self.judge_database(database_abilities(self._paths.data_dir))

    def judge_database(self, abilities: DatabaseAbilities) -> list[Finding]:
        """Say whether SQLite can keep and search conversations."""
        name, arguments = "doctor-database", {"version": abilities.version}
        if not abilities.full_text_search:
            return [
                self._finding(name, Level.PROBLEM, "doctor-database-no-search", arguments, "doctor-database-advice")
            ]
        if not abilities.write_ahead_log:
            return [
                self._finding(name, Level.PROBLEM, "doctor-database-no-log", arguments, "doctor-database-log-advice")
            ]
        return [self._finding(name, Level.OK, "doctor-database-is", arguments)]

    async def _examine_keys(self) -> list[Finding]:
        keys = self._keys
        code = "doctor-keys-keyring" if await keys.where() is KeyPlace.KEYRING else "doctor-keys-file"
        return [self._finding("doctor-keys", Level.OK, code, {"path": str(keys.file)})]

    # Findings

    def _finding(
        self,
        name: str,
        level: Level,
        code: str,
        arguments: Mapping[str, str | int] | None = None,
        advice: str = "",
    ) -> Finding:
        text = self._messages.text
        return Finding(
            name=text(name),
            level=level,
            text=text(code, arguments),
            advice=text(advice, arguments) if advice else "",
        )

    def _from_error(self, name: str, level: Level, error: LlameroError, advice: str = "") -> Finding:
        """A finding in the words of an error, which say what to do themselves unless there is special advice."""
        text, known = self._messages.error(error), f"advice-{error.code}"
        found = self._messages.text(advice or known, error.arguments)
        return Finding(name=self._messages.text(name), level=level, text=text, advice="" if found == known else found)

    @staticmethod
    def _in_thread(check: Callable[[], list[Finding]]) -> Callable[[], Awaitable[list[Finding]]]:
        async def checked() -> list[Finding]:
            return await asyncio.to_thread(check)

        return checked


def _gigabytes(size: int) -> str:
    return f"{size / GB:.1f} GB"
