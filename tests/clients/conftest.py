"""A running `llamero serve` with the project's own models on a real engine, for clients that others made.

The engine is the embedded one, and besides it the executable that `LLAMERO_NATIVE_SERVER` names.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.cli import Home, serving

MODELS = ("demo", "think", "tools", "embed")
NATIVE = os.environ.get("LLAMERO_NATIVE_SERVER", "")
# All four stay loaded, so that no test waits for another one's model; the engine leaves the clients a core.
SETTINGS = """
[servers]
max_loaded = 4
crash_limit = 1000
[engine]
arguments = ["--threads 1"]
"""


@pytest.fixture(
    scope="session", params=["", *([NATIVE] if NATIVE else [])], ids=lambda path: "native" if path else "embedded"
)
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, models_dir: Path) -> Iterator[str]:
    """The gateway's address. The models are known by the names of their files."""
    home = Home(tmp_path_factory.mktemp("served"))
    home.write_settings(SETTINGS + (f"path = {json.dumps(request.param)}\n" if request.param else ""))
    folder = home.data / "models"
    folder.mkdir()
    for name in MODELS:
        shutil.copyfile(models_dir / f"{name}.gguf", folder / f"{name}.gguf")
    with serving(home, "--port", "0") as server:
        yield server.url()
        assert server.end().status == 0
