"""Builds the fake NVML and runs Python code beside it, with the real `pynvml` in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("fake_nvml.c")

# What every scenario starts with. `answer` is what the test gets back.
PRELUDE = """
import json, os, sys
from pathlib import Path
from llamero.infrastructure.gpu import GpuFailed, GpuReaderMissing
from llamero.infrastructure.nvml import NvmlReader
from tests.fakes.clock import FakeClock
clock = FakeClock()
reader = NvmlReader(clock)
answer = {}

def told(gpu):
    return {name: getattr(gpu, name) for name in gpu.__struct_fields__}

def read(asked=None):
    '''What a read gives: its GPUs, or its failure with the GPUs that remain.'''
    try:
        return {"gpus": [told(gpu) for gpu in (asked or reader).read()]}
    except GpuFailed as failure:
        kind = type(failure).__name__
        return {"failure": kind, "reason": failure.reason, "gpus": [told(gpu) for gpu in failure.remaining]}
"""


def build_fake_nvml(directory: Path) -> Path:
    """Compile the library under the name that the dynamic loader is asked for; returns its folder."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler is not None, "these tests compile a small C library: run tests/install_system_packages.sh"
    library = directory / "libnvidia-ml.so.1"
    command = [compiler, "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SOURCE)]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return directory


def run_scenario(library: Path | None, code: str, **environment: str) -> dict[str, Any]:
    """Run `code` after the prelude in a process of its own that finds this library; returns its `answer`."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", f"{PRELUDE}\n{code}\nprint(json.dumps(answer))"],
        cwd=root,
        env={
            "PATH": environment.pop("PATH", "/nonexistent"),
            "LD_LIBRARY_PATH": str(library) if library is not None else "",
            "LC_ALL": "C.UTF-8",
            **{name: value for name in ("HOME", "TMPDIR") if (value := os.environ.get(name))},
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer
