"""The doctor: looks at everything that Llamero needs and says what is wrong and what to do, as data.

Invariants: it changes nothing, and it never fails; whatever cannot be looked at is itself a finding.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from llamero.infrastructure.gpu_probe import GpuProbe, GpuReading
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
from llamero.infrastructure.llama.engine_choice import EngineChoice, Find
from llamero.infrastructure.llama.engines import engine_version, find_engine, list_devices
from llamero.infrastructure.llama.flags import learn_flags
from llamero.infrastructure.messages import Messages, default_messages
from llamero.infrastructure.paths import Paths
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.infrastructure.storage.opening import check_database
from llamero.models.doctor import DatabaseAbilities, Finding, Level
from llamero.models.errors import IoFailed, LlameroError
from llamero.models.llama import Engine, EngineDevice, EngineKind, PassedOver
from llamero.models.remote import KeyPlace
from llamero.models.settings import ResolvedSettings, Source
from llamero.services.findings import FindingMaker
from llamero.services.machine_findings import MachineFindings

# Another program's lock on the database is waited for this long.
BUSY_TIMEOUT_S = 1.0
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
        self._findings = FindingMaker(self._messages)
        self._machine = MachineFindings(self._findings)
        self._read_gpus = read_gpus
        self._engine: Engine | None = None

    async def examine(self) -> tuple[Finding, ...]:
        """Look at everything, in the order in which a person wants to read it."""
        findings: list[Finding] = []
        checks: tuple[tuple[str, Callable[[], Awaitable[list[Finding]]]], ...] = (
            ("doctor-engine", self._examine_engine),
            ("doctor-flags", self._examine_flags),
            ("doctor-processor", self._in_thread(self._examine_processor)),
            ("doctor-gpu", self._examine_gpu),
            ("doctor-memory", self._in_thread(lambda: self._machine.memory(machine_memory()))),
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
                kind = type(error).__name__
                findings.append(self._findings.make(name, Level.WARNING, "doctor-failed", {"kind": kind}))
        return tuple(findings)

    # The engine

    async def _examine_engine(self) -> list[Finding]:
        name = "doctor-engine"
        try:
            engine = await self._engines.choose(self._resolved.settings.engine)
            version = await engine_version(engine)
        except LlameroError as error:
            return [self._findings.from_error(name, Level.PROBLEM, error)]
        self._engine = engine
        arguments = {"kind": engine.kind.value, "variant": engine.variant, "version": version}
        if engine.kind is not EngineKind.EMBEDDED:
            arguments["path"] = engine.command[0]
        findings = [self._findings.make(name, Level.OK, "doctor-engine-found", arguments)]
        if passed_over := engine.instead_of:
            told = {"variant": passed_over.variant, "reason": passed_over.reason}
            findings.append(
                self._findings.make(name, Level.WARNING, PassedOver.CODE, told, "doctor-engine-passed_over-advice")
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
            return [self._findings.from_error("doctor-flags", Level.PROBLEM, error)]
        shown = " ".join(flag.text for flag in merged)
        return [self._findings.make("doctor-flags", Level.OK, "doctor-flags-understood", {"flags": shown})]

    # The machine

    def _examine_processor(self) -> list[Finding]:
        embedded = self._engine is not None and self._engine.kind is EngineKind.EMBEDDED
        return self._machine.processor(embedded=embedded)

    async def _examine_gpu(self) -> list[Finding]:
        reading = await asyncio.to_thread(self._read_gpus)
        devices: tuple[EngineDevice, ...] | None = None
        if reading.gpus and self._engine is not None:
            try:
                devices = await list_devices(self._engine)
            except LlameroError:
                devices = None  # an older engine that does not list them
        return self._machine.gpus(reading, devices)

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
            return [self._findings.from_error(name, Level.PROBLEM, error)]
        return self._machine.space(directory, free_space(directory))

    def _examine_port(self) -> list[Finding]:
        name, gateway = "doctor-port", self._resolved.settings.gateway
        arguments: dict[str, str | int] = {"host": gateway.host, "port": gateway.port}
        try:
            check_port(gateway.host, gateway.port)
        except IoFailed as error:
            if error.code == "port_error-in_use" and listens_for(self._paths.run, gateway.port):
                return [self._findings.make(name, Level.OK, "doctor-port-ours", arguments)]
            chosen = self._resolved.sources["gateway.port"] is not Source.DEFAULT
            if error.code == "port_error-in_use" and not chosen:
                return [self._findings.from_error(name, Level.WARNING, error, "doctor-port-advice")]
            return [self._findings.from_error(name, Level.PROBLEM, error)]
        code = "doctor-port-free" if gateway.port else "doctor-port-any"
        return [self._findings.make(name, Level.OK, code, arguments)]

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
        return [self._findings.make(name, Level.OK, code, {"path": str(path)})]

    def _examine_database(self) -> list[Finding]:
        """What SQLite can do here, and whether the file that is there could be opened."""
        name, path = "doctor-database", self._paths.database
        findings = self.judge_database(database_abilities(self._paths.data_dir))
        try:
            if check_database(path, BUSY_TIMEOUT_S):
                findings.append(self._findings.make(name, Level.OK, "doctor-database-usable", {"path": str(path)}))
        except IoFailed as error:
            findings.append(self._findings.from_error(name, Level.PROBLEM, error))
        return findings

    def judge_database(self, abilities: DatabaseAbilities) -> list[Finding]:
        """Say whether SQLite can keep and search conversations."""
        name, arguments = "doctor-database", {"version": abilities.version}
        level, code, advice = Level.OK, "doctor-database-is", ""
        if not abilities.full_text_search:
            level, code, advice = Level.PROBLEM, "doctor-database-no-search", "doctor-database-advice"
        elif not abilities.write_ahead_log:
            level, code, advice = Level.PROBLEM, "doctor-database-no-log", "doctor-database-log-advice"
        return [self._findings.make(name, level, code, arguments, advice)]

    async def _examine_keys(self) -> list[Finding]:
        keys = self._keys
        code = "doctor-keys-keyring" if await keys.where() is KeyPlace.KEYRING else "doctor-keys-file"
        return [self._findings.make("doctor-keys", Level.OK, code, {"path": str(keys.file)})]

    @staticmethod
    def _in_thread(check: Callable[[], list[Finding]]) -> Callable[[], Awaitable[list[Finding]]]:
        async def checked() -> list[Finding]:
            return await asyncio.to_thread(check)

        return checked
