"""Asking an engine for its version and devices."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.infrastructure.llama.engines import engine_version, list_devices
from llamero.models.errors import EngineFailed
from llamero.models.llama import EngineDevice
from tests.unit.programs import program_engine

MIB = 1024 * 1024
DEVICES = """gpu_init: found 2 devices: all fine
Available devices:
  CUDA0: Some GPU (24 GB) (24000 MiB, 23000 MiB free)
  RPC[10.0.0.1:50052]: 10.0.0.1:50052 (1 MiB, 0 MiB free)
  BLAS: a library
"""


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("gpu_init: found 1 device\nversion: 11434 (abc)\nbuilt with a compiler\n", "version: 11434 (abc)"),
        ("\n\nllama-server 7\n", "llama-server 7"),
        ("", ""),
    ],
)
async def test_engine_version_finds_the_line(tmp_path: Path, output: str, version: str) -> None:
    engine = program_engine(tmp_path / "server", f"sys.stderr.write({output!r}) if sys.argv[1] == '--version' else 0")
    assert await engine_version(engine) == version


async def test_engine_version_failing_engine_is_typed(tmp_path: Path) -> None:
    with pytest.raises(EngineFailed):
        await engine_version(program_engine(tmp_path / "server", "sys.exit(3)"))


async def test_list_devices_reads_names_and_memory(tmp_path: Path) -> None:
    engine = program_engine(tmp_path / "server", f"sys.stdout.write({DEVICES!r})")
    assert await list_devices(engine) == (
        EngineDevice(name="CUDA0", description="Some GPU (24 GB)", memory_total=24000 * MIB, memory_free=23000 * MIB),
        EngineDevice(name="RPC[10.0.0.1:50052]", description="10.0.0.1:50052", memory_total=MIB, memory_free=0),
        EngineDevice(name="BLAS", description="a library"),
    )


@pytest.mark.parametrize("listing", ["Available devices:\n  (none)\n", "Available devices:\n", ""])
async def test_list_devices_none_is_a_normal_answer(tmp_path: Path, listing: str) -> None:
    engine = program_engine(tmp_path / "server", f"sys.stdout.write({listing!r})")
    assert await list_devices(engine) == ()
