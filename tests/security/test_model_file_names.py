"""CVE-2024-37032 and its kin: text from elsewhere as a path, and names of files that would pass for something else."""

from __future__ import annotations

import logging
import os
import sys
import time
from pathlib import Path

import pytest

from llamero.infrastructure.gguf import read_header
from llamero.infrastructure.model_files import ModelFiles
from tests.fakes.hub_cache import REVISION, add_to_hub, write_model


def names(folder: Path, hub: Path | None = None) -> list[str]:
    return [model.name for model in ModelFiles([folder], hub, read_header).look().models]


@pytest.mark.parametrize(
    "reference",
    ["../../../../secret", f"../{REVISION}", "/etc", "..", f"{REVISION}/../x", f"{REVISION}\n../x", "x" * 100, ""],
)
def test_cve_2024_37032_revision_that_is_a_path_is_not_followed(tmp_path: Path, reference: str) -> None:
    write_model(tmp_path / "secret" / "m-Q8_0.gguf")
    hub = tmp_path / "hub"
    add_to_hub(hub, "o/r", "m-Q4_0.gguf", main=reference)
    assert names(tmp_path / "none", hub) == ["o/r:Q4_0"], "the one snapshot that there is, and nothing else"


@pytest.mark.parametrize(
    "directory",
    [
        "models--..--r", "models--o--..", "models--o", "models--o--r--x", "models--o--r\nx", "models--\u202eo--r",
        "models-- --r", "models--.o--r", "datasets--o--r",
    ],
)  # fmt: skip
def test_cve_2024_37032_repository_of_a_hostile_name_is_left_out(tmp_path: Path, directory: str) -> None:
    write_model(tmp_path / directory / "snapshots" / REVISION / "m-Q4_0.gguf")
    assert names(tmp_path / "none", tmp_path) == []


def test_cve_2024_37032_links_out_of_the_cache_are_not_followed(tmp_path: Path) -> None:
    outside = write_model(tmp_path / "outside" / "m-Q4_0.gguf")
    hub = tmp_path / "hub"
    add_to_hub(hub, "o/good", "m-Q4_0.gguf")
    add_to_hub(hub, "o/file", "m-Q8_0.gguf").unlink()
    (hub / "models--o--file" / "snapshots" / REVISION / "m-Q8_0.gguf").symlink_to(outside)
    (hub / "models--o--relative" / "snapshots" / REVISION).mkdir(parents=True)
    (hub / "models--o--relative" / "snapshots" / REVISION / "m-Q8_0.gguf").symlink_to("../../../../outside/m-Q4_0.gguf")
    (hub / "models--o--folder" / "snapshots" / REVISION).mkdir(parents=True)
    (hub / "models--o--folder" / "snapshots" / REVISION / "sub").symlink_to(outside.parent)
    (hub / "models--o--snapshot" / "snapshots").mkdir(parents=True)
    (hub / "models--o--snapshot" / "snapshots" / REVISION).symlink_to(outside.parent)
    (hub / "models--o--snapshots").mkdir()
    write_model(tmp_path / "fake" / REVISION / "m-Q8_0.gguf")
    (hub / "models--o--snapshots" / "snapshots").symlink_to(tmp_path / "fake")
    (hub / "models--o--repository").symlink_to(hub / "models--o--good")
    assert names(tmp_path / "none", hub) == ["o/good:Q4_0"]


def test_cve_2024_37032_reference_that_is_a_link_or_a_pipe_is_not_read(tmp_path: Path) -> None:
    add_to_hub(tmp_path, "o/link", "m-Q4_0.gguf", main=None)
    (tmp_path / "models--o--link" / "refs").mkdir()
    (tmp_path / "models--o--link" / "refs" / "main").symlink_to("/etc/hostname")
    add_to_hub(tmp_path, "o/pipe", "m-Q4_0.gguf", main=None)
    (tmp_path / "models--o--pipe" / "refs").mkdir()
    os.mkfifo(tmp_path / "models--o--pipe" / "refs" / "main")
    assert names(tmp_path / "none", tmp_path) == ["o/link:Q4_0", "o/pipe:Q4_0"]


@pytest.mark.parametrize(
    "name",
    [
        b"a\nb.gguf", b"a\rb.gguf", b"a\x1b[31m.gguf", b"\xff\xfe.gguf", "\u202egpj.gguf".encode(), b" m.gguf",
        b"m .gguf", b"...gguf", b"-.gguf", b"x" * 240 + b".gguf", "\u2028.gguf".encode(),
    ],
)  # fmt: skip
@pytest.mark.skipif(sys.platform == "darwin", reason="its file systems take no such names")
def test_file_whose_name_could_pass_for_something_else_is_left_out_and_logged_in_one_line(
    tmp_path: Path, name: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    write_model(tmp_path / "good.gguf")
    write_model(Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)))
    with caplog.at_level(logging.INFO):
        assert names(tmp_path) == ["good"]
    for record in caplog.records:
        assert record.message.isprintable()


def test_hundred_thousand_files_and_deep_folders_cost_bounded_time(tmp_path: Path) -> None:
    many = tmp_path / "many"
    many.mkdir()
    for number in range(100_000):
        os.close(os.open(f"{many}/{number}.gguf", os.O_CREAT | os.O_WRONLY))
    deep = tmp_path / "deep"
    for _ in range(50):
        deep = deep / "d"
    write_model(deep / "m.gguf")
    files = ModelFiles([tmp_path], None, read_header)
    for _ in range(2):
        began = time.monotonic()
        files.look()
        assert time.monotonic() - began < 6.0
