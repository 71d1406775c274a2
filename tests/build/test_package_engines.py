"""A package takes engines along, and does not depend on what only they need."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from linux.dependencies import RECOMMENDED, needed_packages, recommended_packages
from llamero.infrastructure.llama.bundled import bundled_engine
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngine, BundledEngines
from package import ROOT, add_engines, bundle

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="about Debian's packages")


@pytest.fixture
def engines(tmp_path: Path) -> Path:
    """What `build/engines.py` makes; the engine is linked to more than the C library."""
    folder = tmp_path / "made"
    (folder / "vulkan").mkdir(parents=True)
    shutil.copy("/bin/ls", folder / "vulkan" / "llama-server")
    (folder / "vulkan" / "libggml.so").symlink_to("llama-server")
    engine = BundledEngine(variant="vulkan", program="llama-server", release="b1", target="here", archives=())
    (folder / MANIFEST_NAME).write_bytes(msgspec.json.encode(BundledEngines(default="vulkan", engines=(engine,))))
    return folder


@pytest.mark.parametrize("program", ["llamero/llamero", "Llamero.app/Contents/MacOS/llamero"])
def test_package_with_engines_has_them_where_its_program_looks(program: str, engines: Path, tmp_path: Path) -> None:
    place = tmp_path / program
    add_engines(engines, place)
    add_engines(engines, place)  # a bundle that is made again
    folder = next(tmp_path.glob(f"{program.split('/')[0]}/**/engines"))
    found = bundled_engine(folder)
    assert found is not None
    assert subprocess.run([*found.command, "--version"], capture_output=True, check=True).stdout
    assert (folder / "vulkan" / "libggml.so").is_symlink()


def test_package_with_a_folder_that_has_no_engines_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"build/engines\.py makes them"):
        bundle(engines=tmp_path)


def test_package_takes_the_engines_along_that_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLAMERO_BUNDLE_ENGINES", str(tmp_path / "named"))
    with pytest.raises(SystemExit, match="named has no engines in it"):
        bundle()


@LINUX
def test_package_recommends_what_its_engines_need_and_does_not_depend_on_it(engines: Path, tmp_path: Path) -> None:
    program = tmp_path / "llamero" / "llamero"
    program.parent.mkdir()
    shutil.copy("/bin/true", program)
    without = needed_packages(program.parent)
    assert recommended_packages(program.parent) == RECOMMENDED
    add_engines(engines, program)
    assert needed_packages(program.parent) == without
    assert recommended_packages(program.parent) == (*RECOMMENDED, "libselinux1")


def test_package_help_names_the_engines() -> None:
    command = [sys.executable, str(ROOT / "build" / "package.py"), "bundle", "--help"]
    assert "--engines DIR" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
