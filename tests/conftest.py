"""Fixtures for every test: the test models, made once per session by the script that makes the shipped one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# What is of a Mac alone is tested there alone. Nothing is skipped anywhere.
collect_ignore = [] if sys.platform == "darwin" else ["unit/test_cocoa_application.py"]


def pytest_configure() -> None:
    """Begin as a terminal would have it, whoever started us.

    A shell without job control has what it starts in the background ignore Ctrl+C, and `nohup` has it ignore a hang-up;
    the programs that are tested would inherit that, and could not be ended as they are meant to be.
    """
    if os.name == "posix":
        for ignored in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
            if signal.getsignal(ignored) is signal.SIG_IGN:
                signal.signal(ignored, signal.default_int_handler if ignored == signal.SIGINT else signal.SIG_DFL)
    # What a developer has downloaded would be listed by the programs that are tested, too.
    os.environ["HF_HUB_CACHE"] = str(ROOT / "no-hub-cache-in-tests")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep what a test logged sendable: half a character, which some log on purpose, cannot go to another process."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with demo.gguf, think.gguf, tools.gguf and embed.gguf."""
    folder = tmp_path_factory.mktemp("models")
    script = str(ROOT / "build" / "make_models.py")
    command = [sys.executable, script, "--out", str(folder), "demo", "think", "tools", "embed"]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    folder.chmod(0o755)  # readable after a test has dropped root
    return folder


@pytest.fixture(scope="session")
def demo_model(models_dir: Path) -> Path:
    """The plain model. At temperature 0 its answer has 62 tokens and ends by itself."""
    return models_dir / "demo.gguf"


@pytest.fixture(scope="session")
def think_model(models_dir: Path) -> Path:
    """A model that reasons before it answers."""
    return models_dir / "think.gguf"


@pytest.fixture(scope="session")
def tools_model(models_dir: Path) -> Path:
    """A model that calls a tool whenever a user's message comes with tools."""
    return models_dir / "tools.gguf"


@pytest.fixture(scope="session")
def embed_model(models_dir: Path) -> Path:
    """A model that embeds: words of one meaning get similar vectors."""
    return models_dir / "embed.gguf"
