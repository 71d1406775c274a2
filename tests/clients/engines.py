"""The engines behind a gateway, found and killed from outside."""

from __future__ import annotations

import shutil
from pathlib import Path

import psutil

from tests.process.cli import Home, until

# A window so short that every crash counts as the first, which is followed by a restart at once.
SETTINGS = """
[servers]
crash_limit = 1000
crash_window_s = 0.1
max_loaded = 1
[engine]
arguments = ["--threads 1"]
"""


def home_with_models(home: Home, model: Path, *names: str) -> Home:
    """Put a model into the folder under each name, as if they were different ones; one of them stays loaded."""
    home.write_settings(SETTINGS)
    folder = home.data / "models"
    folder.mkdir()
    for name in names:
        shutil.copyfile(model, folder / f"{name}.gguf")
    return home


def engine_of(home: Home) -> psutil.Process:
    """The engine that runs now."""

    def find() -> psutil.Process | None:
        for pid in home.members():
            try:
                process = psutil.Process(pid)
                if any("llama.embedded" in word for word in process.cmdline()):
                    return process
            except psutil.Error:
                continue
        return None

    found = until(find, what="an engine")
    assert isinstance(found, psutil.Process)
    return found
