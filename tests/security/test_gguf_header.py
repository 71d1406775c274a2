"""A lying GGUF header ends in a typed error, quickly and in little memory.

CVE-2026-7482 and the overflows found in llama.cpp's own reader are all of this kind: a size in the file is believed.
"""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llamero.infrastructure import gguf
from llamero.infrastructure.gguf import read_header
from llamero.models.errors import BadModelFile, LlameroError, ModelFileNotFound
from llamero.models.gguf import GgufHeader
from tests.security.gguf_bytes import ARRAY, TEXT, U8, U32, U64, header, number, pair, text, texts

HUGE = (0xFFFFFFFFFFFFFFFF, 0x8000000000000000, 0x7FFFFFFFFFFFFFFF, 0x2000000000000000, 0xFFFFFFFF, 0x80000000, 2**24)
ARCHITECTURE = text("general.architecture", "llama")
MEMORY = 50 * 1024 * 1024
SECONDS = 1.0  # 0.2 s on a quiet machine; five times as much is still no hang


def refused(path: Path, content: bytes) -> BadModelFile:
    """The error for a file of this content, read within the bounds on time and memory."""
    path.write_bytes(content)
    outcome = read_within_bounds(path)
    assert isinstance(outcome, BadModelFile), outcome
    assert outcome.arguments["path"] == str(path)
    assert str(outcome.arguments["reason"])
    assert len(str(outcome.arguments["reason"])) < 200
    return outcome


def read_within_bounds(path: Path) -> GgufHeader | LlameroError:
    tracemalloc.start()
    started = time.perf_counter()
    try:
        return read_header(path)
    except LlameroError as error:
        return error
    finally:
        seconds = time.perf_counter() - started
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert seconds < SECONDS
        assert peak < MEMORY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


@pytest.mark.parametrize("size", HUGE)
def test_lying_gguf_header_cve_2026_7482_key_length_is_refused(size: int, file: Path) -> None:
    content = struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, size) + b"a" * 64
    assert refused(file, content).code == "model_file_error-corrupt"


@pytest.mark.parametrize("size", HUGE)
def test_lying_gguf_header_cve_2026_7482_text_length_is_refused(size: int, file: Path) -> None:
    for key in ("general.name", "general.other"):
        lie = pair(key, TEXT, struct.pack("<Q", size) + b"a" * 64)
        assert refused(file, header([lie, ARCHITECTURE])).code == "model_file_error-corrupt"


@pytest.mark.parametrize("size", HUGE)
@pytest.mark.parametrize("kind", [U8, U32, U64, TEXT])
def test_lying_gguf_header_cve_2026_7482_array_size_is_refused(size: int, kind: int, file: Path) -> None:
    for key in ("general.tags", "llama.block_count", "tokenizer.ggml.precompiled"):
        lie = pair(key, ARRAY, struct.pack("<IQ", kind, size) + b"\1" * 64)
        outcome_of(file, header([ARCHITECTURE, lie]))


def outcome_of(file: Path, content: bytes) -> GgufHeader | LlameroError:
    """A long vocabulary is where reading stops; anything else that long is a lie."""
    file.write_bytes(content)
    outcome = read_within_bounds(file)
    if b"tokenizer." not in content:
        assert isinstance(outcome, BadModelFile)
    return outcome


@pytest.mark.parametrize("count", HUGE)
def test_lying_gguf_header_number_of_pairs_is_refused(count: int, file: Path) -> None:
    assert refused(file, header([ARCHITECTURE], pair_count=count)).code == "model_file_error-corrupt"


@pytest.mark.parametrize("count", HUGE)
def test_lying_gguf_header_number_of_tensors_is_refused(count: int, file: Path) -> None:
    assert refused(file, header([ARCHITECTURE], tensor_count=count)).code == "model_file_error-corrupt"


def test_lying_gguf_header_with_nested_arrays_is_refused(file: Path) -> None:
    nested = struct.pack("<IQ", ARRAY, 1) * 1000
    error = refused(file, header([ARCHITECTURE, pair("general.deep", ARRAY, nested)]))
    assert "array of arrays" in str(error)


@pytest.mark.parametrize("kind", [13, 14, 255, 0xFFFFFFFF])
def test_lying_gguf_header_with_an_unknown_type_is_refused(kind: int, file: Path) -> None:
    assert "unknown type" in str(refused(file, header([pair("general.odd", kind, b"\0" * 8), ARCHITECTURE])))
    inner = struct.pack("<IQ", kind, 1) + b"\0" * 8
    assert "unknown type" in str(refused(file, header([pair("general.odd", ARRAY, inner), ARCHITECTURE])))


def test_lying_gguf_header_with_a_key_twice_is_refused(file: Path) -> None:
    assert "twice" in str(refused(file, header([ARCHITECTURE, ARCHITECTURE])))


def test_lying_gguf_header_with_a_key_that_is_no_text_is_refused(file: Path) -> None:
    content = struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 4) + b"\xff\xfe\xfd\xfc" + b"\0" * 64
    assert "no text" in str(refused(file, content))


@pytest.mark.parametrize("value", [struct.pack("<q", -1), struct.pack("<q", -(2**63)), struct.pack("<q", 2**62)])
def test_lying_gguf_header_with_a_number_no_model_could_mean_is_refused(value: bytes, file: Path) -> None:
    for key in ("llama.context_length", "llama.block_count", "llama.attention.head_count", "split.count"):
        assert key in str(refused(file, header([ARCHITECTURE, pair(key, 11, value)])))


def test_lying_gguf_header_with_values_of_the_wrong_kind_is_refused(file: Path) -> None:
    for lie in (
        number("general.architecture", 1),
        texts("general.name", ["a"]),
        text("llama.context_length", "many"),
        pair("llama.context_length", 6, struct.pack("<f", 4096.0)),
        pair("llama.context_length", 7, b"\1"),
        texts("llama.attention.head_count", ["8"]),
    ):
        assert refused(file, header([lie, text("general.basename", "x")])).code == "model_file_error-corrupt"


def test_lying_gguf_header_with_a_million_short_texts_is_refused_quickly(file: Path) -> None:
    many = [texts(f"general.list{index}", [""] * 4000) for index in range(200)]
    assert "entries" in str(refused(file, header([ARCHITECTURE, *many])))


def test_lying_gguf_header_with_the_most_layers_and_keys_stays_small(file: Path) -> None:
    layers = struct.pack("<IQ", U8, 1000) + b"\x07" * 1000
    many = [pair(f"a{index}.block_count", ARRAY, layers) for index in range(4000)]
    assert "entries" in str(refused(file, header([ARCHITECTURE, *many])))


def test_lying_gguf_header_longer_than_the_limit_is_refused(file: Path) -> None:
    long_keys = [number(f"{index:05}" + "k" * 1019, 1) for index in range(4095)]
    assert "too long" in str(refused(file, header([*long_keys, ARCHITECTURE])))


def test_lying_gguf_header_without_an_architecture_is_refused(file: Path) -> None:
    assert "architecture" in str(refused(file, header([text("general.name", "x")])))


def test_header_cut_at_every_byte_is_refused_or_read_as_it_is(file: Path, demo_model: Path) -> None:
    whole = demo_model.read_bytes()[:700]
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(BadModelFile):
            read_header(file)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_gguf_header_with_any_field_at_any_value_is_read_or_refused_in_time(
    data: st.DataObject, demo_model: Path, embed_model: Path, file: Path
) -> None:
    source = data.draw(st.sampled_from([demo_model, embed_model]))
    with source.open("rb") as stream:
        content = bytearray(stream.read(16_384))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, 1200))
        change = data.draw(
            st.one_of(
                st.binary(min_size=1, max_size=24),
                st.sampled_from(HUGE).map(lambda value: struct.pack("<Q", value)),
                st.integers(0, 2**32 - 1).map(lambda value: struct.pack("<I", value)),
            )
        )
        content[at : at + len(change)] = change
    file.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    outcome = read_within_bounds(file)
    assert isinstance(outcome, GgufHeader | BadModelFile)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(st.text(max_size=40), st.integers(0, 14), st.binary(max_size=40)), max_size=8))
def test_gguf_header_of_random_pairs_is_read_or_refused_in_time(
    pairs: list[tuple[str, int, bytes]], file: Path
) -> None:
    file.write_bytes(header([ARCHITECTURE, *(pair(*entry) for entry in pairs)]))
    assert isinstance(read_within_bounds(file), GgufHeader | BadModelFile)


def test_missing_file_is_not_found(tmp_path: Path) -> None:
    for path in (tmp_path / "no.gguf", tmp_path / "no" / "no.gguf", tmp_path / "a\0b.gguf"):
        with pytest.raises(ModelFileNotFound):
            read_header(path)


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [
        (b"", "empty", "it is empty"),
        (b"GGU", "not_gguf", "it is no GGUF file"),
        (b"This is a text.\n" * 9, "not_gguf", "it is no GGUF file"),
        (b"version https://git-lfs.github.com/spec/v1\n", "not_gguf", "it is a Git LFS pointer"),
        (b"<!DOCTYPE html><title>Sign in</title>", "not_gguf", "it is a web page"),
        (b"lmgg" + b"\0" * 40, "not_gguf", "older than GGUF"),
        (b"GGUF" + b"\3\0\0\0", "corrupt", "it ends within its header"),
        (b"GGUF" + struct.pack("<IQQ", 1, 0, 0), "unsupported_version", "its version is 1"),
        (b"GGUF" + struct.pack("<IQQ", 4, 0, 0), "unsupported_version", "its version is 4"),
        (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "unsupported_version", "big-endian"),
    ],
)
def test_file_of_another_kind_is_refused_with_the_reason(content: bytes, code: str, reason: str, file: Path) -> None:
    error = refused(file, content)
    assert error.code == f"model_file_error-{code}"
    assert reason in str(error.arguments["reason"])


def test_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadModelFile) as caught:
        read_header(tmp_path)
    assert caught.value.code == "model_file_error-directory"


@pytest.mark.parametrize("make", ["pipe", "device"])
def test_pipe_or_device_is_refused_without_waiting(make: str, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf" if make == "pipe" else Path("/dev/zero")
    if make == "pipe":
        os.mkfifo(path)
    with pytest.raises(BadModelFile) as caught:
        read_header(path)
    assert caught.value.code == "model_file_error-unreadable"


def test_unreadable_file_is_refused_with_the_reason(file: Path) -> None:
    file.write_bytes(header([ARCHITECTURE]))
    file.chmod(0)
    # Root reads everything, so a child gives its rights away; it opens the folder first, which is closed to others.
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from llamero.infrastructure.gguf import read_header\n"
        "from llamero.models.errors import BadModelFile\n"
        "os.chdir(sys.argv[1])\n"
        "if os.getuid() == 0:\n"
        "    os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try:\n"
        "    read_header(Path(sys.argv[2]))\n"
        "except BadModelFile as error:\n"
        "    print(error.code, error.arguments['reason'])\n"
    )
    file.parent.chmod(0o755)
    command = [sys.executable, "-c", code, str(file.parent), file.name]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert ended.stdout == "model_file_error-unreadable Permission denied\n", ended.stderr


def test_limits_are_those_that_the_docstring_promises() -> None:
    assert gguf.READ_LIMIT == 4 * 1024 * 1024
