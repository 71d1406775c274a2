"""NVIDIA GPUs through NVML, NVIDIA's management library, by NVIDIA's own binding (module `pynvml`).

Invariants: a sensor that a GPU lacks is None and costs no other sensor; a lost GPU costs no other GPU (it stays in the
list without readings); what concerns the whole driver is one `GpuFailed`, the session is closed, and a new one is tried
after a back-off. The library is loaded on first use, so that machines without it pay nothing.

Names, units and error codes: NVML API reference, https://docs.nvidia.com/deploy/nvml-api/.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.gpu import (
    GpuFailed,
    GpuReaderMissing,
    Retry,
    celsius,
    memory_bytes,
    percent,
    watts,
)
from llamero.models.metrics import GpuMetrics

T = TypeVar("T")

# Error codes from nvml.h, by how we react; any other code only costs the value that was asked for.
UNINITIALIZED = 1
DRIVER_NOT_LOADED = 9
LIBRARY_NOT_FOUND = 12
GPU_IS_LOST = 15
RESET_REQUIRED = 16
LIBRARY_MISMATCH = 18
GPU_NOT_FOUND = 28
SESSION_ENDS = frozenset({UNINITIALIZED, DRIVER_NOT_LOADED, LIBRARY_NOT_FOUND, LIBRARY_MISMATCH})
DEVICE_LOST = frozenset({GPU_IS_LOST, RESET_REQUIRED, GPU_NOT_FOUND})

EXPLAINED = {
    DRIVER_NOT_LOADED: "NVIDIA's library is installed but its driver is not loaded",
    LIBRARY_MISMATCH: "the NVIDIA driver was updated and does not match the running one; restart the machine",
    GPU_IS_LOST: "the GPU is lost; restart the machine",
    RESET_REQUIRED: "the GPU must be reset; restart the machine",
}

logger = logging.getLogger(__name__)


class _Device(msgspec.Struct):
    """One GPU of the session. `lost` says why it no longer answers."""

    index: int
    handle: Any = None
    name: str = ""
    uuid: str | None = None
    lost: str | None = None


class _SessionEnded(Exception):
    """The driver as a whole no longer answers."""


class NvmlReader:
    """Every NVIDIA GPU, by NVML's own numbering (PCI order)."""

    def __init__(self, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._retry = Retry(clock)
        self._nvml: Any = None
        self._devices: list[_Device] | None = None
        self._loss_noted = False

    def read(self) -> tuple[GpuMetrics, ...]:
        """Read every GPU. Raises `GpuReaderMissing` without the library, `GpuFailed` for driver and lost GPUs."""
        with self._lock:
            devices = self._session()
            try:
                gpus = tuple([self._read_device(device) for device in devices])
            except _SessionEnded as error:
                raise self._end_session(str(error)) from None
            self._judge(devices, gpus)
            return gpus

    def process_memory(self) -> dict[int, int]:
        """GPU memory in bytes by process id, summed over GPUs; without those whose memory the driver does not tell."""
        with self._lock:
            total: dict[int, int] = {}
            try:
                for device in self._session():
                    if device.lost is None:
                        for pid, used in self._device_processes(device).items():
                            total[pid] = total.get(pid, 0) + used
            except _SessionEnded as error:
                raise self._end_session(str(error)) from None
            return total

    def close(self) -> None:
        """End the session. A call that hangs in the driver is left to itself after half a second."""
        if self._lock.acquire(timeout=0.5):
            try:
                self._shut_down()
                self._retry.succeeded()
            finally:
                self._lock.release()

    # The session

    def _session(self) -> list[_Device]:
        """The GPUs of the running session; begins one, and begins it again when a lost GPU may be back."""
        if self._devices is None:
            self._retry.check()
            self._devices = self._open()
        elif self._loss_noted and self._retry.due:
            self._shut_down()
            self._devices = self._open()
        return self._devices

    def _open(self) -> list[_Device]:
        try:
            import pynvml  # 40 ms and 7,000 lines: only where somebody asks for a GPU
        except Exception as error:
            raise self._retry.failed(GpuReaderMissing(f"NVIDIA's Python binding cannot be loaded: {error}")) from error
        try:
            pynvml.nvmlInit()
        except pynvml.NVMLError as error:
            raise self._retry.failed(_failure(error)) from None
        self._nvml = pynvml
        try:
            return [self._find(index) for index in range(pynvml.nvmlDeviceGetCount())]
        except (pynvml.NVMLError, _SessionEnded) as error:
            raise self._end_session(_reason(error)) from None

    def _find(self, index: int) -> _Device:
        device = _Device(index=index, name=f"NVIDIA GPU {index}")
        try:
            device.handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        except self._nvml.NVMLError as error:
            if _code(error) in SESSION_ENDS:
                raise _SessionEnded(_reason(error)) from None
            device.lost = _reason(error)
            return device
        device.name = self._value(device, lambda: str(self._nvml.nvmlDeviceGetName(device.handle))) or device.name
        device.uuid = self._value(device, lambda: str(self._nvml.nvmlDeviceGetUUID(device.handle))) or None
        return device

    def _end_session(self, reason: str) -> GpuFailed:
        self._shut_down()
        return self._retry.failed(GpuFailed(reason))

    def _shut_down(self) -> None:
        nvml, self._nvml = self._nvml, None
        self._devices = None
        self._loss_noted = False
        if nvml is None:
            return
        try:
            nvml.nvmlShutdown()
        except nvml.NVMLError as error:
            logger.debug("NVML did not shut down: %s", error)

    # Devices

    def _read_device(self, device: _Device) -> GpuMetrics:
        nvml, handle = self._nvml, device.handle
        # Version 1 counts what the driver reserves as used: total minus used is what a model can get.
        memory = self._value(device, lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        total = memory_bytes(int(memory.total)) if memory is not None else None
        milliwatts = self._value(device, lambda: int(nvml.nvmlDeviceGetPowerUsage(handle)))
        return GpuMetrics(
            index=device.index,
            name=device.name,
            source="nvml",
            utilization=percent(self._value(device, lambda: int(nvml.nvmlDeviceGetUtilizationRates(handle).gpu))),
            memory_used=memory_bytes(int(memory.used)) if memory is not None and total else None,
            memory_total=total or None,
            temperature_c=celsius(self._value(device, lambda: self._temperature(handle))),
            power_w=watts(milliwatts / 1000) if milliwatts is not None else None,
            uuid=device.uuid,
        )

    def _temperature(self, handle: Any) -> int:
        """The older call is announced to disappear, the newer one is missing from drivers before 2025: ask both."""
        try:
            return int(self._nvml.nvmlDeviceGetTemperatureV(handle, self._nvml.NVML_TEMPERATURE_GPU))
        except self._nvml.NVMLError as error:
            if _code(error) in SESSION_ENDS | DEVICE_LOST:
                raise
        return int(self._nvml.nvmlDeviceGetTemperature(handle, self._nvml.NVML_TEMPERATURE_GPU))

    def _device_processes(self, device: _Device) -> dict[int, int]:
        """A process that computes and draws is in both lists with the same memory, so the larger entry counts."""
        used: dict[int, int] = {}
        for kind in ("Compute", "Graphics"):
            for pid, amount in _sum_by_pid(self._running(device, kind)).items():
                used[pid] = max(used.get(pid, 0), amount)
        return used

    def _running(self, device: _Device, kind: str) -> Iterable[Any]:
        """One list of processes by the newest call that this driver has; empty where it tells nothing."""
        for version in ("_v3", "_v2"):
            call = getattr(self._nvml, f"nvmlDeviceGet{kind}RunningProcesses{version}")
            processes: list[Any] | None = self._value(device, partial(call, device.handle))
            if processes is not None or device.lost is not None:
                return processes or ()
        return ()

    def _value(self, device: _Device, ask: Callable[[], T]) -> T | None:
        """One reading, or None; notes a lost GPU and asks it nothing more. Raises `_SessionEnded`."""
        if device.lost is not None:
            return None
        try:
            return ask()
        except self._nvml.NVMLError as error:
            if _code(error) in SESSION_ENDS:
                raise _SessionEnded(_reason(error)) from None
            if _code(error) in DEVICE_LOST:
                device.lost = _reason(error)
        except (UnicodeDecodeError, OverflowError, ValueError) as error:
            logger.debug("GPU %d answered nonsense: %s", device.index, error)
        return None

    def _judge(self, devices: list[_Device], gpus: tuple[GpuMetrics, ...]) -> None:
        """Raise what is to be told about lost GPUs, and see to it that they are looked for again."""
        lost = [device for device in devices if device.lost is not None]
        if not lost:
            self._retry.succeeded()
            return
        reason = "; ".join(f"GPU {device.index} ({device.name}): {device.lost}" for device in lost)
        failure = GpuFailed(reason, remaining=gpus if len(lost) < len(devices) else ())
        if not self._loss_noted:
            self._loss_noted = True
            self._retry.failed(failure)
        raise failure


def _sum_by_pid(processes: Iterable[Any]) -> dict[int, int]:
    """Sum the entries of one list: a process has one for each GPU instance it uses."""
    used: dict[int, int] = {}
    for process in processes:
        amount = memory_bytes(process.usedGpuMemory)
        if amount is not None:
            used[int(process.pid)] = used.get(int(process.pid), 0) + amount
    return used


def _code(error: Exception) -> int:
    return int(getattr(error, "value", -1))


def _reason(error: Exception) -> str:
    explained = EXPLAINED.get(_code(error))
    return explained if explained is not None else f"the NVIDIA driver answered: {error}"


def _failure(error: Exception) -> GpuFailed:
    if _code(error) == LIBRARY_NOT_FOUND:
        return GpuReaderMissing("no NVIDIA driver is installed")
    return GpuFailed(_reason(error))
