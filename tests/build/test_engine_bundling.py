"""`build/engines.py` as a release workflow runs it, against a server with releases on this machine."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.models.bundled_engines import MANIFEST_NAME, BundledEngines
from tests.build.archives import Entry, linux_archive, tar_of, windows_archive, zip_of
from tests.fakes.release_server import ReleaseServer, release_server

ROOT = Path(__file__).resolve().parent.parent.parent
LINUX, WINDOWS = "x86_64-unknown-linux-gnu", "x86_64-pc-windows-msvc"
TOKEN = "ghp_thisMustNotBeSeen"


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as running:
        running.files = {
            "llama-b11459-bin-ubuntu-x64.tar.gz": linux_archive(),
            "llama-b11459-bin-ubuntu-vulkan-x64.tar.gz": linux_archive(server=b"#!/bin/sh\necho vulkan\n"),
            "llama-b11459-bin-win-cuda-12.4-x64.zip": windows_archive(),
            "cudart-llama-bin-win-cuda-12.4-x64.zip": zip_of([Entry("cudart64_12.dll", b"MZ runtime")]),
        }
        yield running


def build(server: ReleaseServer, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = ["--out", folder / "engines", "--work", folder / "work", "--api", server.api]
    return subprocess.run(
        [sys.executable, ROOT / "build" / "engines.py", *arguments],
        env={"PATH": os.environ["PATH"], "CI_RELEASE": server.tag, "GH_PAT": TOKEN, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def built(server: ReleaseServer, folder: Path, **environment: str) -> BundledEngines:
    done = build(server, folder, **environment)
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return msgspec.json.decode((folder / "engines" / MANIFEST_NAME).read_bytes(), type=BundledEngines)


def refused(server: ReleaseServer, folder: Path, **environment: str) -> str:
    done = build(server, folder, **environment)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert not (folder / "engines").exists()
    return done.stderr


def test_bundle_for_linux_has_engines_that_start_and_a_manifest(server: ReleaseServer, tmp_path: Path) -> None:
    wish = {"CI_BUILD_TARGET": LINUX, "CI_BUILD_VARIANTS": "cpu,vulkan", "CI_DEFAULT_VARIANT": "vulkan"}
    manifest = built(server, tmp_path, **wish)
    assert manifest.default == "vulkan"
    assert [(one.variant, one.program, one.release, one.target) for one in manifest.engines] == [
        ("cpu", "llama-server", "b11459", LINUX),
        ("vulkan", "llama-server", "b11459", LINUX),
    ]
    (archive,) = manifest.engines[0].archives
    assert (archive.name, archive.license, len(archive.sha256)) == (
        "llama-b11459-bin-ubuntu-x64.tar.gz",
        "MIT",
        64,
    )
    folder = tmp_path / "engines" / "cpu"
    assert sorted(path.name for path in folder.iterdir()) == [
        "LICENSE",
        "libllama.so",
        "libllama.so.0",
        "libllama.so.0.0.11459",
        "llama-server",
    ]
    assert (folder / "libllama.so").read_bytes() == b"\x7fELF library"
    assert (folder / "LICENSE").read_bytes() == b"MIT License, theirs"
    answer = subprocess.run([tmp_path / "engines" / "vulkan" / "llama-server"], capture_output=True, check=True)
    assert answer.stdout == b"vulkan\n"


def test_bundle_of_cuda_for_windows_brings_the_runtime_and_a_license(server: ReleaseServer, tmp_path: Path) -> None:
    manifest = built(server, tmp_path, CI_BUILD_TARGET=WINDOWS, CI_BUILD_VARIANTS="cuda")
    folder = tmp_path / "engines" / "cuda"
    assert sorted(path.name for path in folder.iterdir()) == [
        "LICENSE",
        "cudart64_12.dll",
        "ggml-cuda.dll",
        "llama-server.exe",
    ]
    assert (folder / "llama-server.exe").stat().st_mode & stat.S_IXUSR
    assert "The ggml authors" in (folder / "LICENSE").read_text()
    assert [one.license.split()[0] for one in manifest.engines[0].archives] == ["MIT", "NVIDIA"]


def test_bundle_made_again_replaces_the_folder_and_leaves_nothing(server: ReleaseServer, tmp_path: Path) -> None:
    built(server, tmp_path, CI_BUILD_TARGET=LINUX, CI_BUILD_VARIANTS="cpu,vulkan")
    built(server, tmp_path, CI_BUILD_TARGET=LINUX, CI_BUILD_VARIANTS="cpu")
    assert sorted(path.name for path in (tmp_path / "engines").iterdir()) == ["cpu", MANIFEST_NAME]
    assert not any(path.is_dir() for path in (tmp_path / "work").iterdir())


def test_bundle_that_fails_keeps_the_former_one(server: ReleaseServer, tmp_path: Path) -> None:
    built(server, tmp_path, CI_BUILD_TARGET=LINUX, CI_BUILD_VARIANTS="cpu")
    before = (tmp_path / "engines" / MANIFEST_NAME).read_bytes()
    server.digests["llama-b11459-bin-ubuntu-vulkan-x64.tar.gz"] = f"sha256:{'0' * 64}"
    done = build(server, tmp_path, CI_BUILD_TARGET=LINUX, CI_BUILD_VARIANTS="vulkan")
    assert (done.returncode, "does not have the SHA-256" in done.stderr) == (1, True)
    assert (tmp_path / "engines" / MANIFEST_NAME).read_bytes() == before


def test_bundle_of_a_missing_variant_lists_what_there_is_and_fetches_nothing(
    server: ReleaseServer, tmp_path: Path
) -> None:
    said = refused(server, tmp_path, CI_BUILD_TARGET=LINUX, CI_BUILD_VARIANTS="cpu,cuda")
    assert f"no cuda for {LINUX}" in said
    assert all(name in said for name in server.files)
    assert server.asked_of("files") == []


def test_bundle_without_a_release_is_refused(server: ReleaseServer, tmp_path: Path) -> None:
    assert "name the tag" in refused(server, tmp_path, CI_RELEASE="")


def test_bundle_while_another_build_works_is_refused(server: ReleaseServer, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with DataDirLock(tmp_path / "work"):
        assert "in use by another build" in refused(server, tmp_path, CI_BUILD_TARGET=LINUX)
    assert server.asked == []
    built(server, tmp_path, CI_BUILD_TARGET=LINUX)


def test_bundle_of_a_hostile_archive_is_refused_and_leaves_nothing(server: ReleaseServer, tmp_path: Path) -> None:
    server.files["llama-b11459-bin-ubuntu-x64.tar.gz"] = tar_of([Entry("../../../evil", b"x")])
    said = refused(server, tmp_path, CI_BUILD_TARGET=LINUX)
    assert "llama-b11459-bin-ubuntu-x64.tar.gz" in said
    assert "leads out of its folder" in said
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ([Entry("top/llama-cli", b"x")], "has 0 files called llama-server"),
        ([Entry("a/llama-server", b"x"), Entry("b/llama-server", b"y")], "has 2 files called llama-server"),
        (
            [Entry("top/llama-server", b"x"), Entry("top/lib.so", kind=b"2", link="lib.so.1")],
            "the link cpu/lib.so leads nowhere",
        ),
    ],
    ids=["no server", "two servers", "broken link"],
)
def test_bundle_of_an_archive_that_is_no_engine_is_refused(
    entries: list[Entry], said: str, server: ReleaseServer, tmp_path: Path
) -> None:
    server.files["llama-b11459-bin-ubuntu-x64.tar.gz"] = tar_of(entries)
    assert said in refused(server, tmp_path, CI_BUILD_TARGET=LINUX)


def test_bundle_runtime_that_replaces_a_file_of_the_engine_is_refused(server: ReleaseServer, tmp_path: Path) -> None:
    server.files["cudart-llama-bin-win-cuda-12.4-x64.zip"] = zip_of([Entry("ggml-cuda.dll", b"MZ evil")])
    said = refused(server, tmp_path, CI_BUILD_TARGET=WINDOWS, CI_BUILD_VARIANTS="cuda")
    assert "has a second ggml-cuda.dll" in said
