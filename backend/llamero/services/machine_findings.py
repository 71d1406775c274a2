"""What the doctor makes of the machine: processor, GPUs, memory and disk, judged by what was read of them.

Nothing is read here but the processor's own features; each function gives findings for what it is handed.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

from llamero.infrastructure.gpu_probe import NONE_FOUND, NONE_FOUND_ELSEWHERE, GpuReading
from llamero.infrastructure.llama.cpu_features import X86, cpu_features, lacks_avx2
from llamero.models.doctor import Finding, Level, MachineMemory
from llamero.models.llama import EngineDevice
from llamero.services.findings import GB, FindingMaker, gigabytes

LITTLE_DISK = 5 * GB  # less than one model of a common size
NO_DISK = 0.1 * GB
LITTLE_MEMORY = 1 * GB
# What a person knows these processor features by, in Linux's spelling.
_FEATURES = {"avx": "AVX", "avx2": "AVX2", "fma": "FMA", "avx512f": "AVX-512", "asimd": "NEON", "sve": "SVE"}


class MachineFindings:
    """Judges what was read of the machine."""

    def __init__(self, maker: FindingMaker) -> None:
        self._make = maker.make

    def processor(
        self, features: frozenset[str] | None = None, machine: str | None = None, *, embedded: bool = False
    ) -> list[Finding]:
        """Say what the processor can do; without AVX2 most engines that are ready-made do not run on it.

        `features` and `machine` are this one's unless given. `embedded`: is the embedded engine the one in use?
        """
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
        findings = [self._make(name, level, "doctor-processor-is", arguments, advice)]
        if embedded and machine.lower() in X86 and features and "avx512f" in features:
            findings.append(self._make(name, Level.OK, "doctor-processor-faster"))
        return findings

    def gpus(self, reading: GpuReading, devices: tuple[EngineDevice, ...] | None) -> list[Finding]:
        """Say which GPUs there are, and whether the engine can use any. None: the engine was not asked."""
        name = "doctor-gpu"
        findings = [
            self._make(
                name,
                Level.OK,
                "doctor-gpu-is",
                {"name": gpu.name, "memory": gigabytes(gpu.memory_total) if gpu.memory_total else ""},
            )
            for gpu in reading.gpus
        ]
        if reading.gpus and devices == ():
            findings.append(self._make(name, Level.WARNING, "doctor-gpu-unused", {}, "doctor-gpu-advice"))
        if reading.note:
            harmless = reading.note in (*NONE_FOUND.values(), NONE_FOUND_ELSEWHERE)
            level, advice = (Level.OK, "") if harmless else (Level.WARNING, "doctor-gpu-trouble-advice")
            findings.append(self._make(name, level, "doctor-gpu-note", {"note": reading.note}, advice))
        return findings

    def memory(self, memory: MachineMemory | None) -> list[Finding]:
        """Say how much memory programs can get."""
        name = "doctor-memory"
        if memory is None:
            return [self._make(name, Level.WARNING, "doctor-unknown")]
        arguments = {"available": gigabytes(memory.available), "total": gigabytes(memory.total)}
        if memory.available < LITTLE_MEMORY:
            return [self._make(name, Level.WARNING, "doctor-memory-is", arguments, "doctor-memory-advice")]
        return [self._make(name, Level.OK, "doctor-memory-is", arguments)]

    def space(self, directory: Path, free: int | None) -> list[Finding]:
        """Say whether there is room for models. `free` in bytes."""
        arguments = {"path": str(directory), "free": gigabytes(free) if free is not None else ""}
        if free is None or free >= LITTLE_DISK:
            return [self._make("doctor-data", Level.OK, "doctor-data-is", arguments)]
        level = Level.PROBLEM if free < NO_DISK else Level.WARNING
        return [self._make("doctor-data", level, "doctor-data-is", arguments, "doctor-data-advice")]
