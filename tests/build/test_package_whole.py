"""A build that is cut short leaves nothing that a later step would take for a bundle or a package."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from package import bundle
from whole import whole

# A PyInstaller that lays half a bundle down and then does what the variable says.
PYINSTALLER = """
import os, pathlib, sys, time
folder = pathlib.Path(sys.argv[sys.argv.index("--distpath") + 1], "llamero")
folder.mkdir(parents=True)
(folder / "llamero").write_text("new")
if os.environ["PYINSTALLER_DOES"] == "hang":
    time.sleep(600)
sys.exit(os.environ["PYINSTALLER_DOES"] == "fail")
"""


@pytest.fixture
def out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the bundle of an earlier build, and a PyInstaller that is in place of the real one."""
    package = tmp_path / "modules" / "PyInstaller"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PYINSTALLER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "modules"), *sys.path]))
    former = tmp_path / "out" / "bundle-qt" / "llamero"
    former.mkdir(parents=True)
    (former / "llamero").write_text("former")
    return tmp_path / "out"


def test_bundle_that_is_whole_takes_the_place_of_the_former_one(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYINSTALLER_DOES", "succeed")
    folder = bundle(out=out)
    assert folder == out / "bundle-qt" / "llamero"
    assert (folder / "llamero").read_text() == "new"
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "THIRD_PARTY_LICENSES.txt", "llamero"]
    assert sorted(path.name for path in out.iterdir()) == ["bundle-qt", "work"]


def test_bundle_whose_build_fails_leaves_the_former_one(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYINSTALLER_DOES", "fail")
    with pytest.raises(subprocess.CalledProcessError):
        bundle(out=out)
    assert [(path.name, path.read_text()) for path in out.glob("bundle-*/*/*")] == [("llamero", "former")]


def test_bundle_whose_build_is_killed_leaves_the_former_one_and_the_next_build_succeeds(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import pathlib, sys, package; package.bundle(out=pathlib.Path(sys.argv[1]))"
    environment = {**os.environ, "PYINSTALLER_DOES": "hang"}
    killed = subprocess.Popen([sys.executable, "-c", code, str(out)], env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not (out / "bundle-qt.part" / "llamero" / "llamero").exists():
            assert time.monotonic() < deadline and killed.poll() is None
            time.sleep(0.02)
    finally:
        os.killpg(killed.pid, 9)
        killed.wait()
    assert (out / "bundle-qt" / "llamero" / "llamero").read_text() == "former"
    monkeypatch.setenv("PYINSTALLER_DOES", "succeed")
    assert (bundle(out=out) / "llamero").read_text() == "new"


def test_file_that_could_not_be_made_whole_leaves_the_former_one_and_nothing_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "package.deb"
    target.write_text("former")
    with pytest.raises(OSError, match="no space"), whole(target) as part:
        part.write_text("hal")
        raise OSError("no space")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("package.deb", "former")]
