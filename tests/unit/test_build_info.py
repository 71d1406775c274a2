"""Which build this is: from a package's own file, else from the files of git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from llamero import __version__
from llamero.infrastructure.build_info import (
    BUILD_FILE,
    LICENSES_FILE,
    read_build_info,
    read_third_party_licenses,
    version_text,
)
from llamero.models.build import BuildInfo, ThirdPartyLicense

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com")
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit, and a package folder in its `backend/`."""
    root = tmp_path / "checkout"
    (root / "backend" / "llamero").mkdir(parents=True)
    (root / "file").write_text("content")
    git(root, "init", "--quiet", "--initial-branch", "main")
    git(root, "add", "file")
    git(root, "commit", "--quiet", "--message", "First")
    return root


def packaged(folder: Path, content: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / BUILD_FILE).write_text(content, encoding="utf-8")
    return folder


def test_build_info_of_a_package_is_what_its_file_says(tmp_path: Path) -> None:
    package = packaged(tmp_path, json.dumps({"commit": COMMIT, "built": "2026-01-31T12:00:00Z"}))
    assert read_build_info(package) == BuildInfo(version=__version__, commit=COMMIT, built="2026-01-31T12:00:00Z")
    assert version_text(package) == f"{__version__} (commit 0123456789ab, built 2026-01-31)"


def test_build_info_of_a_package_beats_the_repository_that_it_lies_in(checkout: Path) -> None:
    package = packaged(checkout / "backend" / "llamero", json.dumps({"commit": COMMIT, "built": None}))
    assert read_build_info(package).commit == COMMIT


@pytest.mark.parametrize("content", ["", "[]", "{", '{"commit": 1, "built": []}', "null"])
def test_build_info_that_is_damaged_leaves_the_version(content: str, tmp_path: Path) -> None:
    assert read_build_info(packaged(tmp_path, content)) == BuildInfo(version=__version__)


def test_build_info_outside_of_any_repository_is_the_version(tmp_path: Path) -> None:
    assert read_build_info(tmp_path / "backend" / "llamero") == BuildInfo(version=__version__)
    assert version_text(tmp_path / "backend" / "llamero") == f"{__version__} (source)"


def test_build_info_of_a_checkout_is_its_commit(checkout: Path) -> None:
    head = git(checkout, "rev-parse", "HEAD")
    assert read_build_info(checkout / "backend" / "llamero").commit == head
    git(checkout, "pack-refs", "--all")
    assert read_build_info(checkout / "backend" / "llamero").commit == head
    git(checkout, "checkout", "--quiet", "--detach")
    assert read_build_info(checkout / "backend" / "llamero").commit == head


def test_build_info_of_a_second_working_tree_is_its_own_commit(checkout: Path) -> None:
    git(checkout, "worktree", "add", "--quiet", "-b", "topic", "../second")
    second = checkout.parent / "second"
    git(second, "commit", "--quiet", "--allow-empty", "--message", "Second")
    assert read_build_info(second / "backend" / "llamero").commit == git(second, "rev-parse", "HEAD")


def test_build_info_of_a_repository_without_commits_is_the_version(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert read_build_info(tmp_path / "backend" / "llamero") == BuildInfo(version=__version__)


def test_build_info_of_a_package_inside_somebody_elses_repository_is_not_that_commit(checkout: Path) -> None:
    package = checkout / "lib" / "llamero"
    package.mkdir(parents=True)
    assert read_build_info(package).commit is None


def test_third_party_licenses_are_read_as_they_were_written(tmp_path: Path) -> None:
    work = {"name": "aiohttp", "version": "3", "license": "Apache-2.0", "text": "Terms"}
    (tmp_path / LICENSES_FILE).write_text(json.dumps([work]), encoding="utf-8")
    assert read_third_party_licenses(tmp_path) == (ThirdPartyLicense(**work),)


def test_third_party_licenses_of_a_checkout_are_none(tmp_path: Path) -> None:
    assert read_third_party_licenses(tmp_path) == ()
