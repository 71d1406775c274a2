"""The gateway's key: file before environment, never empty, never unusable."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from llamero.infrastructure.api_keys import read_api_key
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.secret_masking import process_secrets
from llamero.models.errors import IoFailed
from tests.fakes.unprivileged import as_nobody, reachable_directory


def key_file(directory: Path, content: bytes, mode: int = 0o600) -> Path:
    path = directory / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def refusal(path: Path) -> str:
    try:
        read_api_key(path, {"LLAMERO_API_KEY": "other"})
    except IoFailed as error:
        return error.code
    return ""


@pytest.mark.parametrize("content", [b"the-key", b"the-key\n", b"  the-key \r\n\r\n", b"\xef\xbb\xbfthe-key\n"])
def test_api_key_file_is_stripped_and_stronger_than_the_environment(tmp_path: Path, content: bytes) -> None:
    assert read_api_key(key_file(tmp_path, content), {"LLAMERO_API_KEY": "other"}) == "the-key"


@pytest.mark.parametrize(
    ("value", "key"), [(None, None), ("", None), (" \n", None), ("the-key", "the-key"), (" the-key\n", "the-key")]
)
def test_api_key_of_the_environment_is_used_unless_empty(value: str | None, key: str | None) -> None:
    assert read_api_key(None, {} if value is None else {"LLAMERO_API_KEY": value}) == key


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_api_key_file_that_is_empty_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(key_file(tmp_path, content)) == "key_error-file_empty"


@pytest.mark.parametrize("content", [b"one\ntwo", b"a b", b"caf\xc3\xa9", b"\xff\xfe", b"a\0b", b"x" * 5000])
def test_api_key_that_no_header_can_carry_is_refused(tmp_path: Path, content: bytes) -> None:
    assert refusal(key_file(tmp_path, content)) == "key_error-invalid"


def test_api_key_of_the_environment_that_no_header_can_carry_is_refused() -> None:
    with pytest.raises(IoFailed) as caught:
        read_api_key(None, {"LLAMERO_API_KEY": "a b"})
    assert "LLAMERO_API_KEY" in default_messages().error(caught.value)
    assert "a b" not in default_messages().error(caught.value)


def test_api_key_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing") == "key_error-file_unreadable"
    assert refusal(tmp_path) == "key_error-file_unreadable"
    assert refusal(Path("a\0b")) == "key_error-file_unreadable"
    with reachable_directory() as directory:
        path = key_file(directory, b"the-key")
        assert as_nobody(lambda: refusal(path)) == "key_error-file_unreadable"


def test_api_key_may_come_through_a_pipe() -> None:
    read_end, write_end = os.pipe()
    os.write(write_end, b"piped-key\n")
    os.close(write_end)
    try:
        assert read_api_key(Path(f"/dev/fd/{read_end}"), {}) == "piped-key"
    finally:
        os.close(read_end)


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_api_key_file_that_others_may_read_is_warned_about(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int, warned: bool
) -> None:
    path = key_file(tmp_path, b"a-very-secret-key", mode)
    with caplog.at_level(logging.WARNING):
        assert read_api_key(path, {}) == "a-very-secret-key"
    assert [str(path) in message for message in caplog.messages] == [True] * warned
    assert "a-very-secret-key" not in caplog.text


def test_api_key_is_masked_in_logs_from_then_on(tmp_path: Path) -> None:
    read_api_key(key_file(tmp_path, b"key-read-from-a-file"), {})
    assert process_secrets.apply("got key-read-from-a-file here", 100) == "got *** here"
