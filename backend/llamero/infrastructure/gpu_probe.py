"""Every GPU of the machine: NVML, or `nvidia-smi` where NVML fails, and AMD's files beside them.

Invariants: never raises and never makes the caller wait longer than the readers' patience, whatever a driver does; a
failure costs its own vendor only; one log line when NVIDIA's side begins to fail, one when it works again.
"""

from __future__ import annotations

import logging
import sys

import msgspec

from llamero.infrastructure.amd_sysfs import AmdSysfsReader
from llamero.infrastructure.clock import Clock, SystemClock
from llamero.infrastructure.gpu import GpuFailed, GpuPending, GpuReader, GpuReaderMissing
from llamero.infrastructure.latest_value import LatestValue
from llamero.infrastructure.nvidia_smi import NvidiaSmiReader
from llamero.infrastructure.nvml import NvmlReader
from llamero.infrastructure.outage import Outage
from llamero.models.metrics import GpuMetrics

NONE_FOUND = {
    "linux": "No NVIDIA or AMD GPU was found.",
    "darwin": "The load of Apple's GPUs cannot be read.",
}
NONE_FOUND_ELSEWHERE = "No NVIDIA GPU was found; other GPUs cannot be read on this system."

logger = logging.getLogger(__name__)


class GpuReading(msgspec.Struct, frozen=True):
    """The GPUs found, and one sentence for a person where something is missing or wrong."""

    gpus: tuple[GpuMetrics, ...] = ()
    note: str | None = None


class PatientReader:
    """A reader whose driver may hang: asked in a thread of its own, with the last answer in the meantime."""

    def __init__(
        self, reader: GpuReader, *, name: str, clock: Clock, patience_s: float = 1.0, period_s: float = 0.0
    ) -> None:
        self._reader = reader
        self._gpus = LatestValue(reader.read, name=name, clock=clock, patience_s=patience_s, period_s=period_s)
        self._memory = LatestValue(
            reader.process_memory, name=name, clock=clock, patience_s=patience_s, period_s=period_s
        )

    def read(self) -> tuple[GpuMetrics, ...]:
        """The newest readings to be had within the patience. Raises `GpuFailed`."""
        return self._gpus.get()

    def process_memory(self) -> dict[int, int]:
        """The newest memory by process id to be had within the patience. Raises `GpuFailed`."""
        return self._memory.get()

    def close(self) -> None:
        """Close the reader, then wait for questions under way, which that may have ended."""
        self._reader.close()
        self._gpus.close()
        self._memory.close()


class GpuProbe:
    """Asks the readers in order. Each may be replaced; `nvml` and `nvidia_smi` answer for the same GPUs."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        nvml: GpuReader | None = None,
        nvidia_smi: GpuReader | None = None,
        amd: GpuReader | None = None,
    ) -> None:
        clock = clock if clock is not None else SystemClock()
        self._nvml = nvml or PatientReader(NvmlReader(clock), name="NVML", clock=clock)
        # The program costs more than a whole sample, so it is run every few seconds at most.
        self._nvidia_smi = nvidia_smi or PatientReader(
            NvidiaSmiReader(clock), name="nvidia-smi", clock=clock, patience_s=0.5, period_s=5.0
        )
        self._amd = amd or AmdSysfsReader()
        self._outage = Outage(logger, "NVIDIA GPU readings")

    def read(self) -> GpuReading:
        """Read every GPU; no GPU is a normal answer with a note that says so."""
        try:
            nvidia, trouble = self._read_nvidia()
        except GpuPending as pending:
            return GpuReading(self._read_amd(), _sentence(pending.reason))
        if trouble is None:
            self._outage.recovered()
        else:
            self._outage.failed(trouble)
        gpus = nvidia + self._read_amd()
        if trouble is not None:
            return GpuReading(gpus, _sentence(trouble))
        return GpuReading(gpus, None if gpus else NONE_FOUND.get(sys.platform, NONE_FOUND_ELSEWHERE))

    def process_memory(self) -> dict[int, int]:
        """GPU memory in bytes by process id, as far as NVML tells; empty otherwise."""
        try:
            return self._nvml.process_memory()
        except GpuFailed:
            return {}

    def close(self) -> None:
        """Close every reader; a later read begins anew."""
        for reader in (self._nvml, self._nvidia_smi, self._amd):
            reader.close()

    def _read_nvidia(self) -> tuple[tuple[GpuMetrics, ...], str | None]:
        """NVIDIA's GPUs, and what is wrong with them. Raises `GpuPending` before the first answer."""
        try:
            return self._nvml.read(), None
        except GpuPending:
            raise
        except GpuFailed as failure:
            if failure.remaining:
                return failure.remaining, failure.reason
            first = failure
        trouble = None if isinstance(first, GpuReaderMissing) else first.reason
        try:
            gpus = self._nvidia_smi.read()
        except GpuPending:
            raise
        except GpuReaderMissing:
            return (), trouble
        except GpuFailed as failure:
            second = failure.reason
            return failure.remaining, second if trouble is None else f"{trouble} (and {second})"
        return gpus, None if trouble is None else f"{trouble}; nvidia-smi is asked instead"

    def _read_amd(self) -> tuple[GpuMetrics, ...]:
        try:
            return self._amd.read()
        except GpuFailed as failure:
            logger.debug("AMD GPU readings: %s", failure.reason)
            return ()


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:].rstrip('.')}."
