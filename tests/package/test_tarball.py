"""The tar.gz: unpacked, installed for one user, asked, installed again and taken away."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from identity import APPLICATION_ID
from tests.package.file_changes import changes, snapshot


@pytest.fixture(scope="module")
def unpacked(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that is in the archive."""
    folder = tmp_path_factory.mktemp("unpacked")
    archive = next(packages.glob("llamero-*-linux-*.tar.gz"))
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="tar")
    return folder / archive.name.removesuffix(".tar.gz")


def run(command: Path | str, *arguments: str | Path, home: Path) -> str:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    done = subprocess.run(
        [command, *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_tarball_installed_twice_and_taken_away_leaves_the_users_data_only(unpacked: Path, tmp_path: Path) -> None:
    home = tmp_path / "Ada's höme"  # with what scripts stumble over
    (home / ".local" / "share" / "applications").mkdir(parents=True)
    (home / ".local" / "share" / "applications" / "other.desktop").write_text("[Desktop Entry]\nType=Application\n")
    before = snapshot(home)

    for _ in ("first", "again"):
        run(unpacked / "install.sh", home=home)
    local = home / ".local"
    assert run(local / "bin/llamero", "--version", home=home).startswith("llamero ")
    entry = (local / "share/applications/llamero.desktop").read_text()
    assert f'\nExec="{local}/lib/llamero/llamero" --model %f\n' in entry
    assert f"\nTryExec={local}/lib/llamero/llamero\n" in entry
    assert (local / f"share/metainfo/{APPLICATION_ID}.metainfo.xml").is_file()
    model = next((local / "lib/llamero").rglob("demo.gguf"))
    assert len(run(local / "bin/llamero", "run", model, "Hello", home=home)) > 20

    run(local / "lib/llamero/uninstall.sh", home=home)
    data = (".local/share/llamero", ".local/state", ".config", ".cache")
    made_by_the_system = (".local/share/applications/mimeinfo.cache",)
    assert changes(before, snapshot(home), apart_from=data + made_by_the_system) == []
    assert (local / "share/llamero").is_dir()


def test_tarball_runs_from_where_it_was_unpacked(unpacked: Path, tmp_path: Path) -> None:
    assert run(unpacked / "bin/llamero", "--version", home=tmp_path).startswith("llamero ")
