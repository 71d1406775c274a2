"""What users download, made once per session and started as they do: by an ordinary user, without our Python.

`LLAMERO_BUNDLE` names the folder of a bundle that is there already, `LLAMERO_PACKAGES` one with packages of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from linux.product import debian_architecture
from llamero import __version__
from tests.desktop.conftest import display
from tests.fakes.launch import REPOSITORY
from tests.package.debian_system import DebianSystem, debian_system

__all__ = ["display"]

BODY_S, BUILD_S = 600, 1800


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Limit the tests' own bodies: what is made once is made in the time of whoever asks for it first."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(BODY_S, func_only=True))


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The folder of the bundle that carries its own browser."""
    if named := os.environ.get("LLAMERO_BUNDLE"):
        return Path(named)
    command = [sys.executable, str(REPOSITORY / "build" / "package.py"), "bundle", "--window", "qt"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=BUILD_S)
    return Path(done.stdout.strip())


@pytest.fixture(scope="session")
def packages(bundle: Path) -> Path:
    """The folder with everything that is made of the bundle for Linux."""
    if named := os.environ.get("LLAMERO_PACKAGES"):
        return Path(named)
    command = [sys.executable, str(REPOSITORY / "build" / "package.py"), "linux", "--bundle", str(bundle)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=BUILD_S)
    return Path(done.stdout.splitlines()[0]).parent


@pytest.fixture(scope="session")
def package(packages: Path) -> Path:
    """The `.deb`."""
    return packages / f"llamero_{__version__}_{debian_architecture()}.deb"


@pytest.fixture(scope="session")
def older_package(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a lower version number, quickly packed."""
    folder = tmp_path_factory.mktemp("older")
    tree = folder / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN" / "control"
    lines = control.read_text().splitlines(keepends=True)
    control.write_text("".join("Version: 0.0.1\n" if line.startswith("Version:") else line for line in lines))
    older = folder / "llamero_0.0.1.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, older], check=True)
    return older


@pytest.fixture(scope="session")
def prepared_system(older_package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DebianSystem]:
    """A Debian that has what the package depends on, and not the package: it has been there and is gone."""
    with debian_system(tmp_path_factory.mktemp("system")) as system:
        system.install(older_package)
        system.purge("llamero")
        yield system
