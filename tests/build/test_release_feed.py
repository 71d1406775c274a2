"""The feed of a release says what installed packages look for, and there is none that is not signed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec
import pytest

from linux.deb import PROGRAM as DEB_FOLDER
from llamero.infrastructure.updates.channel import own_target
from llamero.models.updates import Release
from release.feed import release, write_feed

REPOSITORY = "https://example.com/somebody/llamero"
PACKAGES = (
    "llamero_1.2.3_amd64.deb", "llamero_1.2.3_arm64.deb", "Llamero-1.2.3-x86_64.AppImage",
    "Llamero-1.2.3-aarch64.AppImage", "llamero-1.2.3-windows-x64-setup.exe", "llamero-1.2.3-macos-arm64.dmg",
    "llamero-1.2.3-macos-x86_64.dmg", "llamero-1.2.3-linux-x86_64.tar.gz", "llamero-1.2.3-linux-aarch64.tar.gz",
)  # fmt: skip
OF_THE_DEB, PROGRAM = f"/{DEB_FOLDER}/llamero", "/home/somebody/llamero/llamero"
IMAGE = {"APPIMAGE": "/home/somebody/Llamero.AppImage"}


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in (*PACKAGES, "SHA256SUMS"):
        (folder / name).write_text(name)
    return folder


@pytest.fixture
def minisign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in that signs with the key's text, and writes down what it was asked."""
    folder = tmp_path / "programs"
    folder.mkdir()
    program = folder / "minisign"
    program.write_text(f'#!/bin/sh\necho "$*" >{folder}/asked\ncat "$3" >"$5.minisig"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return folder / "asked"


@pytest.mark.parametrize(
    ("system", "machine", "environment", "program", "name"),
    [
        ("linux", "x86_64", {}, OF_THE_DEB, PACKAGES[0]),
        ("linux", "aarch64", {}, OF_THE_DEB, PACKAGES[1]),
        ("linux", "x86_64", IMAGE, PROGRAM, PACKAGES[2]),
        ("linux", "aarch64", IMAGE, PROGRAM, PACKAGES[3]),
        ("win32", "AMD64", {}, PROGRAM, PACKAGES[4]),
        ("darwin", "arm64", {}, PROGRAM, PACKAGES[5]),
        ("darwin", "x86_64", {}, PROGRAM, PACKAGES[6]),
        ("linux", "x86_64", {}, PROGRAM, PACKAGES[7]),
        ("linux", "aarch64", {}, PROGRAM, PACKAGES[8]),
    ],
)
def test_feed_has_for_each_system_the_package_that_it_asks_for(
    packages: Path, system: str, machine: str, environment: dict[str, str], program: str, name: str
) -> None:
    target = own_target(machine, environment, system, program)
    (file,) = [file for file in release(packages, "1.2.3", REPOSITORY).files if file.target == target]
    assert file.name == name
    assert file.url == f"{REPOSITORY}/releases/download/v1.2.3/{name}"
    assert (file.size, file.sha256) == (len(name), hashlib.sha256(name.encode()).hexdigest())


def test_feed_with_the_key_is_written_and_signed(packages: Path, minisign: Path) -> None:
    assert write_feed(packages, "1.2.3", REPOSITORY, {"MINISIGN_KEY": "secret"})
    told = msgspec.json.decode((packages / "latest.json").read_bytes(), type=Release)
    assert told == release(packages, "1.2.3", REPOSITORY)
    assert len(told.files) == len(PACKAGES)
    assert (packages / "latest.json.minisig").read_text() == "secret\n"
    asked = minisign.read_text().split()
    assert asked[0] == "-S"
    assert not Path(asked[2]).exists(), "the key stays nowhere"


def test_feed_without_the_key_is_not_made_and_that_is_said(packages: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not write_feed(packages, "1.2.3", REPOSITORY, {"MINISIGN_KEY": ""})
    assert not (packages / "latest.json").exists()
    assert "MINISIGN_KEY is not set" in capsys.readouterr().out


def test_feed_of_a_version_that_packages_would_not_read_is_refused(packages: Path) -> None:
    with pytest.raises(msgspec.ValidationError):
        release(packages, "1.2.3rc1", REPOSITORY)
