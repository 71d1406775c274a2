"""AMD GPUs, read from a tree of files such as the driver `amdgpu` makes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llamero.infrastructure.amd_sysfs import AmdSysfsReader
from llamero.models.metrics import GpuMetrics

READINGS = ("utilization", "memory_used", "memory_total", "temperature_c", "power_w")


def add_card(root: Path, number: int, **files: str | bytes) -> Path:
    """A card as the driver shows it; `files` replace or add to its files, with `__` for a slash."""
    device = root / f"card{number}" / "device"
    defaults: dict[str, str | bytes] = {
        "vendor": "0x1002\n",
        "device": "0x744c\n",
        "gpu_busy_percent": "37\n",
        "mem_info_vram_used": "1073741824\n",
        "mem_info_vram_total": "25753026560\n",
        "hwmon__hwmon3__temp1_input": "54000\n",
        "hwmon__hwmon3__power1_average": "87000000\n",
        "power__runtime_status": "active\n",
    }
    for name, content in {**defaults, **files}.items():
        path = device / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return device


def test_amd_reader_without_the_folder_finds_none(tmp_path: Path) -> None:
    assert AmdSysfsReader(tmp_path / "missing").read() == ()


def test_amd_reader_reads_every_sensor(tmp_path: Path) -> None:
    add_card(tmp_path, 0, product_name="Radeon Imaginary\n", unique_id="f00d\n")
    assert AmdSysfsReader(tmp_path).read() == (
        GpuMetrics(
            index=0,
            name="Radeon Imaginary",
            source="amd-sysfs",
            utilization=37.0,
            memory_used=1073741824,
            memory_total=25753026560,
            temperature_c=54.0,
            power_w=87.0,
            uuid="f00d",
        ),
    )


def test_amd_reader_passes_over_connectors_and_other_vendors(tmp_path: Path) -> None:
    add_card(tmp_path, 10)
    add_card(tmp_path, 2, device="0x1234")
    add_card(tmp_path, 1, vendor="0x10de\n")
    add_card(tmp_path, 3, vendor=b"\xff\xfe")
    for name in ("card2-DP-1", "renderD128", "version"):
        (tmp_path / name).mkdir()
    gpus = AmdSysfsReader(tmp_path).read()
    assert [(gpu.index, gpu.name) for gpu in gpus] == [(0, "AMD GPU 0x1234"), (1, "AMD GPU 0x744c")]


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        ("gpu_busy_percent", ["utilization"]),
        ("mem_info_vram_used", ["memory_used"]),
        ("mem_info_vram_total", ["memory_used", "memory_total"]),
        ("hwmon/hwmon3/temp1_input", ["temperature_c"]),
        ("hwmon/hwmon3/power1_average", ["power_w"]),
    ],
)
@pytest.mark.parametrize("content", [None, b"", b"N/A\n", b"-9999999999\n", b"9" * 5000, b"\xff\x00", "٣".encode()])
def test_amd_reader_with_one_bad_file_lacks_that_value_only(
    tmp_path: Path, file: str, missing: list[str], content: bytes | None
) -> None:
    path = add_card(tmp_path, 0) / file
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    (gpu,) = AmdSysfsReader(tmp_path).read()
    assert [name for name in READINGS if getattr(gpu, name) is None] == missing


def test_amd_reader_with_folder_in_place_of_a_file_lacks_that_value_only(tmp_path: Path) -> None:
    path = add_card(tmp_path, 0) / "gpu_busy_percent"
    path.unlink()
    path.mkdir()
    (gpu,) = AmdSysfsReader(tmp_path).read()
    assert [name for name in READINGS if getattr(gpu, name) is None] == ["utilization"]


def test_amd_reader_without_average_power_takes_the_present_one(tmp_path: Path) -> None:
    device = add_card(tmp_path, 0, hwmon__hwmon3__power1_input="12500000\n")
    (device / "hwmon/hwmon3/power1_average").unlink()
    assert AmdSysfsReader(tmp_path).read()[0].power_w == 12.5


def test_amd_reader_with_idle_gpu_gives_zero_rather_than_none(tmp_path: Path) -> None:
    add_card(tmp_path, 0, gpu_busy_percent="0\n", mem_info_vram_used="0\n")
    (gpu,) = AmdSysfsReader(tmp_path).read()
    assert (gpu.utilization, gpu.memory_used) == (0.0, 0)


def test_amd_reader_with_sleeping_gpu_does_not_read_what_would_wake_it(tmp_path: Path) -> None:
    device = add_card(tmp_path, 0, power__runtime_status="suspended\n")
    for sensor in ("gpu_busy_percent", "hwmon/hwmon3/temp1_input", "hwmon/hwmon3/power1_average"):
        (device / sensor).unlink()
        # A pipe that nobody writes: opening it to read would never return.
        os.mkfifo(device / sensor)
    (gpu,) = AmdSysfsReader(tmp_path).read()
    assert [getattr(gpu, name) is None for name in READINGS] == [True, False, False, True, True]
