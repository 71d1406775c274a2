"""AMD GPUs through the files of the Linux driver `amdgpu`; anywhere else there is nothing to read, which is normal.

Invariants: a file that is missing, unreadable or implausible costs only its own value; a GPU that the system has put
to sleep is not woken to be measured (its sensors are None, its memory, which the driver counts itself, is still read).

Format: https://docs.kernel.org/gpu/amdgpu/thermal.html and driver-misc.html; temperature in thousandths of a degree,
power in microwatts, memory in bytes, load in percent.
"""

from __future__ import annotations

import re
from pathlib import Path

from llamero.infrastructure.gpu import celsius, memory_bytes, percent, watts
from llamero.models.metrics import GpuMetrics

DRM = Path("/sys/class/drm")
AMD_VENDOR = "0x1002"


class AmdSysfsReader:
    """Every AMD GPU in the order of its cards."""

    def __init__(self, root: Path = DRM) -> None:
        self._root = root

    def read(self) -> tuple[GpuMetrics, ...]:
        """Read every GPU; never fails."""
        return tuple([_read_card(index, device) for index, device in enumerate(self._devices())])

    def process_memory(self) -> dict[int, int]:
        """Nothing: the driver tells it per open file of a process only."""
        return {}

    def close(self) -> None:
        """Nothing is held."""

    def _devices(self) -> list[Path]:
        try:
            # Beside cardN there are its connectors, such as card0-DP-1.
            cards = [entry for entry in self._root.iterdir() if re.fullmatch(r"card\d+", entry.name)]
        except OSError:
            return []
        cards.sort(key=lambda card: int(card.name[4:]))
        return [card / "device" for card in cards if _text(card / "device" / "vendor") == AMD_VENDOR]


def _read_card(index: int, device: Path) -> GpuMetrics:
    awake = _text(device / "power" / "runtime_status") != "suspended"
    hwmon = _hwmon(device) if awake else None
    total = memory_bytes(_integer(device / "mem_info_vram_total"))
    millidegrees = _integer(hwmon / "temp1_input") if hwmon is not None else None
    microwatts = None
    if hwmon is not None:
        # Newer chips give an average, others only the present value.
        microwatts = _integer(hwmon / "power1_average")
        microwatts = microwatts if microwatts is not None else _integer(hwmon / "power1_input")
    return GpuMetrics(
        index=index,
        name=_name(device),
        source="amd-sysfs",
        utilization=percent(_integer(device / "gpu_busy_percent")) if awake else None,
        memory_used=memory_bytes(_integer(device / "mem_info_vram_used")) if total else None,
        memory_total=total or None,
        temperature_c=celsius(millidegrees / 1000) if millidegrees is not None else None,
        power_w=watts(microwatts / 1_000_000) if microwatts is not None else None,
        uuid=_text(device / "unique_id"),
    )


def _name(device: Path) -> str:
    """The product's name is set for workstation cards; others are told apart by their PCI device number."""
    number = _text(device / "device")
    return _text(device / "product_name") or (f"AMD GPU {number}" if number else "AMD GPU")


def _hwmon(device: Path) -> Path | None:
    try:
        return min((device / "hwmon").iterdir(), default=None)
    except OSError:
        return None


def _text(path: Path) -> str | None:
    """One line of a file, or None; never more than a sysfs page."""
    try:
        with path.open("rb", buffering=0) as file:
            line = (file.read(4096) or b"").decode("utf-8", errors="replace").strip()
    except OSError:
        return None
    return line if line and line.isprintable() else None


def _integer(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,18}", text, re.ASCII) else None
