"""The doctor's judgement: from what was read to what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.infrastructure.gpu_probe import NONE_FOUND_ELSEWHERE, GpuReading
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.remote_keys import Keyring, RemoteKeys
from llamero.infrastructure.settings_file import load_settings
from llamero.models.doctor import DatabaseAbilities, Level, MachineMemory
from llamero.models.llama import EngineDevice
from llamero.models.metrics import GpuMetrics
from llamero.services.doctor import Doctor
from llamero.services.findings import FindingMaker
from llamero.services.machine_findings import MachineFindings
from tests.unit.test_remote_keys import MemoryKeyring

GPU = GpuMetrics(index=0, name="Fast One", source="nvml", memory_total=24 * 10**9)
DEVICE = EngineDevice(name="CUDA0")
MACHINE = MachineFindings(FindingMaker(default_messages()))


def doctor_for(data: Path, *, reading: GpuReading | None = None) -> Doctor:
    paths = find_paths(data)
    return Doctor(paths, load_settings(paths.settings_file, {}, {}), read_gpus=lambda: reading or GpuReading())


@pytest.fixture
def doctor(tmp_path: Path) -> Doctor:
    return doctor_for(tmp_path / "data")


@pytest.mark.parametrize(
    ("reading", "devices", "levels"),
    [
        (GpuReading((GPU,)), (DEVICE,), [Level.OK]),
        (GpuReading((GPU,)), None, [Level.OK]),
        (GpuReading((GPU,)), (), [Level.OK, Level.WARNING]),
        (GpuReading((), NONE_FOUND_ELSEWHERE), None, [Level.OK]),
        (GpuReading((), "The driver does not answer."), None, [Level.WARNING]),
        (GpuReading((GPU,), "One GPU fell off."), (DEVICE,), [Level.OK, Level.WARNING]),
    ],
    ids=["usable", "engine not asked", "engine cannot", "none", "trouble", "some trouble"],
)
def test_doctor_gpu_levels(reading: GpuReading, devices: tuple[EngineDevice, ...] | None, levels: list[Level]) -> None:
    findings = MACHINE.gpus(reading, devices)
    assert [finding.level for finding in findings] == levels
    assert all(bool(finding.advice) == (finding.level is not Level.OK) for finding in findings)


@pytest.mark.parametrize(("keyring", "said"), [(MemoryKeyring(), "system's keyring"), (None, "remote-keys.json")])
async def test_doctor_says_where_keys_are_kept(tmp_path: Path, keyring: Keyring | None, said: str) -> None:
    paths = find_paths(tmp_path)
    keys = RemoteKeys(paths.data_dir, find_keyring=lambda: keyring)
    findings = await Doctor(paths, load_settings(paths.settings_file, {}, {}), keys=keys).examine()
    found = next(finding for finding in findings if finding.name == "Keys")
    assert found.level is Level.OK
    assert said in found.text


@pytest.mark.parametrize(
    ("free", "level"), [(None, Level.OK), (10**11, Level.OK), (10**9, Level.WARNING), (10**7, Level.PROBLEM)]
)
def test_doctor_space_levels(free: int | None, level: Level) -> None:
    assert [finding.level for finding in MACHINE.space(Path("/d"), free)] == [level]


@pytest.mark.parametrize(
    ("memory", "level"),
    [
        (None, Level.WARNING),
        (MachineMemory(total=8 * 10**9, available=4 * 10**9), Level.OK),
        (MachineMemory(total=8 * 10**9, available=10**8), Level.WARNING),
    ],
)
def test_doctor_memory_levels(memory: MachineMemory | None, level: Level) -> None:
    assert [finding.level for finding in MACHINE.memory(memory)] == [level]


@pytest.mark.parametrize(
    ("features", "machine", "level"),
    [
        (frozenset({"avx", "avx2"}), "x86_64", Level.OK),
        (frozenset({"avx"}), "x86_64", Level.WARNING),
        (frozenset({"asimd"}), "aarch64", Level.OK),
    ],
)
def test_doctor_processor_levels(features: frozenset[str], machine: str, level: Level) -> None:
    assert [finding.level for finding in MACHINE.processor(features, machine)] == [level]


@pytest.mark.parametrize(
    ("log", "search", "level"),
    [(True, True, Level.OK), (False, True, Level.PROBLEM), (True, False, Level.PROBLEM)],
)
def test_doctor_database_levels(log: bool, search: bool, level: Level, doctor: Doctor) -> None:
    abilities = DatabaseAbilities(version="3.45.0", write_ahead_log=log, full_text_search=search)
    (finding,) = doctor.judge_database(abilities)
    assert finding.level is level
    assert "3.45.0" in finding.text


async def test_doctor_check_that_fails_is_a_finding_and_the_others_go_on(tmp_path: Path) -> None:
    def fail() -> GpuReading:
        raise ZeroDivisionError

    paths = find_paths(tmp_path / "data")
    doctor = Doctor(paths, load_settings(paths.settings_file, {}, {}), read_gpus=fail)
    findings = await doctor.examine()
    gpu = next(finding for finding in findings if finding.name == "GPU")
    assert (gpu.level, gpu.text) == (Level.WARNING, "This could not be looked at (ZeroDivisionError).")
    assert findings[-1].name == "Keys"
    assert not (tmp_path / "data").exists()
