"""What is found in models folders and in the hub's cache, under which names, and that looking is cheap."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from llamero.infrastructure.directory_walk import Walk
from llamero.infrastructure.gguf import read_header
from llamero.infrastructure.hub_cache import find_hub_cache
from llamero.infrastructure.model_files import ModelFiles
from llamero.infrastructure.model_names import quantization
from llamero.models.gguf import GgufHeader
from llamero.models.model_files import FoundModels
from tests.fakes.hub_cache import EMBEDDING_MODEL, MODEL, PROJECTOR, REVISION, add_to_hub, write_model


class CountingReader:
    """Reads headers and counts how often."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, path: Path) -> GgufHeader:
        self.paths.append(str(path))
        return read_header(path)


def look(folder: Path, hub: Path | None = None, walk: Callable[[], Walk] = Walk) -> FoundModels:
    return ModelFiles([folder], hub, read_header, walk).look()


def names(found: FoundModels) -> list[str]:
    return [model.name for model in found.models]


def test_file_in_a_folder_is_named_by_its_stem_and_described(tmp_path: Path) -> None:
    path = write_model(tmp_path / "deep" / "er" / "Tiny.Q4_0.GGUF", EMBEDDING_MODEL)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (model,) = look(tmp_path).models
    assert (model.name, model.path) == ("Tiny.Q4_0", str(path))
    assert (model.look.size_bytes, model.look.modified, model.look.embedding) == (
        len(EMBEDDING_MODEL), 1_700_000_000, True,
    )  # fmt: skip


def test_what_is_no_model_is_left_out(tmp_path: Path) -> None:
    write_model(tmp_path / "good.gguf")
    write_model(tmp_path / "broken.gguf", b"no model")
    write_model(tmp_path / "empty.gguf", b"")
    write_model(tmp_path / "mmproj-good-F16.gguf", PROJECTOR)
    write_model(tmp_path / "sees.gguf", PROJECTOR)
    write_model(tmp_path / "._good.gguf")
    write_model(tmp_path / ".hidden" / "other.gguf")
    write_model(tmp_path / "good.gguf.part")
    (tmp_path / "folder.gguf").mkdir()
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.gguf")
    assert names(look(tmp_path)) == ["good"]


def test_parts_of_a_split_model_are_one_and_an_incomplete_one_is_left_out_with_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in (1, 2, 3):
        write_model(tmp_path / f"big-0000{number}-of-00003.gguf")
        write_model(tmp_path / "elsewhere" / f"half-0000{number}-of-00004.gguf")
    files = ModelFiles([tmp_path], None, read_header)
    with caplog.at_level(logging.INFO):
        (model,) = files.look().models
        write_model(tmp_path / "new.gguf")
        assert names(files.look()) == ["big", "new"]
    assert (model.name, model.path) == ("big", str(tmp_path / "big-00001-of-00003.gguf"))
    assert model.look.size_bytes == 3 * len(MODEL)
    assert [record.message for record in caplog.records] == [
        "parts of the model half are missing (1), so it is left out"
    ]


def test_hub_file_is_named_by_owner_repository_and_quantization(tmp_path: Path) -> None:
    plain = add_to_hub(tmp_path, "owner/Some-Model-GGUF", "some-model-Q4_K_M.gguf")
    add_to_hub(tmp_path, "owner/Some-Model-GGUF", "UD-Q2_K_XL/some-UD-Q2_K_XL-00001-of-00002.gguf")
    add_to_hub(tmp_path, "owner/Some-Model-GGUF", "UD-Q2_K_XL/some-UD-Q2_K_XL-00002-of-00002.gguf")
    add_to_hub(tmp_path, "other/plain", "just-a-name.gguf")
    projector = add_to_hub(tmp_path, "owner/Some-Model-GGUF", "mmproj-F16.gguf")
    found = look(tmp_path / "none", tmp_path)
    assert names(found) == [
        "other/plain:just-a-name", "owner/Some-Model-GGUF:Q4_K_M", "owner/Some-Model-GGUF:UD-Q2_K_XL",
    ]  # fmt: skip
    assert found.models[1].path == str(plain), "by its name: parts of a split model are found by theirs"
    assert [model.projector for model in found.models] == ["", str(projector), str(projector)]


def test_hub_revision_is_the_one_of_refs_main_or_the_newest(tmp_path: Path) -> None:
    old, new = "a" * 40, "b" * 40
    add_to_hub(tmp_path, "o/named", "m-Q4_0.gguf", revision=old, main=old)
    add_to_hub(tmp_path, "o/named", "m-Q8_0.gguf", revision=new, main=old)
    add_to_hub(tmp_path, "o/unnamed", "m-Q4_0.gguf", revision=new, main=None)
    add_to_hub(tmp_path, "o/unnamed", "m-Q8_0.gguf", revision=old, main=None)
    snapshots = tmp_path / "models--o--unnamed" / "snapshots"
    os.utime(snapshots / new, (1, 1))
    assert names(look(tmp_path / "none", tmp_path)) == ["o/named:Q4_0", "o/unnamed:Q8_0"]


@pytest.mark.parametrize(
    ("stem", "wanted"),
    [
        ("gemma-3-4b-it-Q4_K_M", "Q4_K_M"),
        ("gemma.q8_0", "Q8_0"),
        ("model-IQ4_XS", "IQ4_XS"),
        ("model-UD-IQ1_S", "UD-IQ1_S"),
        ("gpt-oss-20b-MXFP4", "MXFP4"),
        ("model-BF16", "BF16"),
        ("model.fp16", "FP16"),
        ("Q8_0-model-Q4_0", "Q4_0"),
        ("ggml-model-i2_s", ""),
        ("qwen3-coder", ""),
        ("FAQ4", ""),
    ],
)
def test_quantization_is_read_off_the_name(stem: str, wanted: str) -> None:
    assert quantization(stem) == wanted


def test_second_look_reads_nothing_while_nothing_changes_and_only_what_is_new_when_it_does(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    write_model(tmp_path / "folder" / "a.gguf")
    unfinished = write_model(tmp_path / "folder" / "b.gguf", b"")
    add_to_hub(hub, "o/r", "m-Q4_0.gguf")
    reader = CountingReader()
    files = ModelFiles([tmp_path / "folder"], hub, reader)
    first = files.look()
    assert names(first) == ["a", "o/r:Q4_0"]
    read = len(reader.paths)
    assert files.look() is first
    unfinished.write_bytes(MODEL)  # the folder's own time stays
    assert names(files.look()) == ["a", "b", "o/r:Q4_0"]
    assert reader.paths[read:] == [str(unfinished)]
    add_to_hub(hub, "o/r", "m-Q8_0.gguf", revision="c" * 40, main="c" * 40)
    assert names(files.look()) == ["a", "b", "o/r:Q8_0"]
    unfinished.unlink()
    assert names(files.look()) == ["a", "o/r:Q8_0"]


def test_other_files_are_looked_at_besides(tmp_path: Path) -> None:
    other = write_model(tmp_path / "elsewhere" / "e.gguf", EMBEDDING_MODEL)
    found = ModelFiles([tmp_path / "none"], None, read_header).look([str(other), str(tmp_path / "gone.gguf")])
    assert found.models == ()
    assert {path: seen.embedding for path, seen in found.looks.items()} == {str(other): True}


def test_links_in_a_circle_end_and_a_linked_file_is_listed_once(tmp_path: Path) -> None:
    write_model(tmp_path / "a" / "m.gguf")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "m-link.gguf").symlink_to(tmp_path / "a" / "m.gguf")
    assert names(look(tmp_path)) == ["m-link"]


def test_folder_of_too_many_files_costs_bounded_work_and_one_log_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(300):
        (tmp_path / f"{number}.txt").touch()
    write_model(tmp_path / "sub" / "m.gguf")
    files = ModelFiles([tmp_path], None, read_header, partial(Walk, entries=100))
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            assert files.look().models == ()
            (tmp_path / "changed.txt").write_text("x")
    assert [record.message for record in caplog.records] == [
        "looking for models ended early, since there is too much to look at (limit: entries)"
    ]


def test_look_that_runs_out_of_time_gets_further_the_next_time(tmp_path: Path) -> None:
    for number in range(5):
        write_model(tmp_path / f"m{number}.gguf")
    now = 0.0

    def read_slowly(path: Path) -> GgufHeader:
        nonlocal now
        now += 1.0
        return read_header(path)

    files = ModelFiles([tmp_path], None, read_slowly, lambda: Walk(seconds=1.5, monotonic=lambda: now))
    assert [len(files.look().models) for _ in range(4)] == [2, 4, 5, 5]


def test_hub_cache_is_where_its_library_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_hub_cache({}) == tmp_path / ".cache/huggingface/hub"
    assert find_hub_cache({"XDG_CACHE_HOME": "/x"}) == Path("/x/huggingface/hub")
    assert find_hub_cache({"HF_HOME": "/h", "XDG_CACHE_HOME": "/x"}) == Path("/h/hub")
    assert find_hub_cache({"HF_HUB_CACHE": "~/c", "HF_HOME": "/h"}) == tmp_path / "c"
    assert len(REVISION) == 40
