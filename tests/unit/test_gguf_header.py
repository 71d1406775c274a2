"""What good GGUF files say about themselves, and what their models will take in memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.infrastructure.gguf import read_header
from llamero.models.errors import BadModelFile
from llamero.models.gguf import GgufHeader
from llamero.services.llama.memory_estimate import memory_estimate
from tests.security.gguf_bytes import header, number, numbers, text, texts

ARCHITECTURE = text("general.architecture", "llama")


def test_header_of_the_demo_says_what_it_is(demo_model: Path) -> None:
    found = read_header(demo_model)
    assert found == GgufHeader(
        version=3,
        tensor_count=found.tensor_count,
        file_size=demo_model.stat().st_size,
        architecture="llama",
        name="Demo (not a real assistant)",
        size_label="tiny",
        file_type=1,
        context_length=8192,
        embedding_length=found.embedding_length,
        block_count=1,
        head_count=1,
        head_count_kv=1,
        key_length=64,
        value_length=64,
        has_chat_template=True,
    )
    assert found.tensor_count > 0
    assert not found.is_embedding
    assert not found.is_mmproj


def test_header_of_the_embedding_model_says_that_it_embeds(embed_model: Path) -> None:
    found = read_header(embed_model)
    assert found.is_embedding
    assert (found.architecture, found.pooling_type, found.context_length) == ("bert", 1, 512)
    assert found.has_chat_template is None, "it could stand behind the vocabulary"


@pytest.mark.parametrize(
    ("pairs", "embeds"),
    [
        ([text("general.architecture", "nomic-bert")], True),
        ([text("general.architecture", "qwen3"), number("qwen3.pooling_type", 3)], True),
        ([text("general.architecture", "qwen3"), number("qwen3.pooling_type", 0)], False),
        ([text("general.architecture", "qwen3"), number("other.pooling_type", 3)], False),
        ([text("general.architecture", "qwen3")], False),
    ],
)
def test_model_embeds_by_its_architecture_or_its_pooling(pairs: list[bytes], embeds: bool, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(header(pairs))
    assert read_header(path).is_embedding is embeds


def test_projector_is_recognized(tmp_path: Path) -> None:
    path = tmp_path / "mmproj.gguf"
    path.write_bytes(header([text("general.architecture", "clip")]))
    assert read_header(path).is_mmproj


def test_pairs_in_any_order_and_version_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    pairs = [
        number("llama.block_count", 3),
        texts("general.tags", ["a", "b"]),
        text("general.name", "Höhe"),
        ARCHITECTURE,
    ]
    for version in (2, 3):
        path.write_bytes(header(pairs, version=version))
        found = read_header(path)
        assert (found.version, found.block_count, found.name) == (version, 3, "Höhe")
        assert found.has_chat_template is False


def test_reading_stops_at_the_vocabulary(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    vocabulary = texts("tokenizer.ggml.tokens", ["a"] * 100_000)
    pairs = [ARCHITECTURE, number("llama.block_count", 3), vocabulary, number("llama.context_length", 4096)]
    path.write_bytes(header(pairs))
    found = read_header(path)
    assert (found.block_count, found.context_length, found.has_chat_template) == (3, None, None)


def test_another_long_list_of_the_tokenizer_ends_the_reading_too(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(header([ARCHITECTURE, texts("tokenizer.ggml.merges", ["a b"] * 20_000)]))
    assert read_header(path).architecture == "llama"


def test_numbers_for_each_layer_become_the_largest(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(header([ARCHITECTURE, numbers("llama.attention.head_count_kv", [0, 8, 0, 4])]))
    assert read_header(path).head_count_kv == 8


def _parts(folder: Path, count: int) -> list[Path]:
    paths = [folder / f"model-{part + 1:05}-of-{count:05}.gguf" for part in range(count)]
    for part, path in enumerate(paths):
        path.write_bytes(header([ARCHITECTURE, number("split.no", part), number("split.count", count)]))
    return paths


def test_split_model_counts_all_its_parts(tmp_path: Path) -> None:
    paths = _parts(tmp_path, 3)
    found = read_header(paths[0])
    assert (found.split_number, found.split_count) == (0, 3)
    assert found.file_size == sum(path.stat().st_size for path in paths)


def test_split_model_with_a_part_missing_names_it(tmp_path: Path) -> None:
    paths = _parts(tmp_path, 3)
    paths[1].unlink()
    with pytest.raises(BadModelFile, match="part 2 of 3 is missing"):
        read_header(paths[0])


def test_split_model_opened_at_a_later_part_says_which_to_choose(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile, match="it is part 2 of 3; choose part 1"):
        read_header(_parts(tmp_path, 3)[1])


def test_memory_of_a_model_is_its_file_and_its_cache() -> None:
    found = GgufHeader(
        version=3,
        tensor_count=1,
        file_size=1000,
        context_length=8192,
        embedding_length=4096,
        block_count=32,
        head_count=32,
        head_count_kv=8,
    )
    per_token = 32 * 2 * 8 * 128 * 2
    assert memory_estimate(found) == 1000 + 8192 * per_token
    assert memory_estimate(found, 4096) == 1000 + 4096 * per_token
    assert memory_estimate(found, 256, 4) == 1000 + 1024 * per_token, "a slot has at least 256 tokens"


def test_memory_of_the_demo_has_the_cache_that_llama_cpp_reports(demo_model: Path) -> None:
    assert memory_estimate(read_header(demo_model)) - demo_model.stat().st_size == 2 * 1024 * 1024


def test_memory_of_a_file_that_says_nothing_is_the_file() -> None:
    assert memory_estimate(GgufHeader(version=3, tensor_count=0, file_size=7, head_count=0)) == 7
