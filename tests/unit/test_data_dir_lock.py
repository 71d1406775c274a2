"""One holder for one data directory, and nothing stale when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed
from tests.fakes.unprivileged import as_nobody, reachable_directory

HOLDER = """
import pathlib, subprocess, sys
from llamero.infrastructure.data_dir_lock import DataDirLock
lock = DataDirLock(pathlib.Path(sys.argv[1]))
lock.acquire()
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, close_fds=False)
print(child.pid, flush=True)
sys.stdin.read()
"""


@contextmanager
def holder(run_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock and has a child of its own."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(run_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None and process.stdout.readline().strip().isdecimal()
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def refusal(run_dir: Path) -> IoFailed:
    with pytest.raises(IoFailed) as caught:
        DataDirLock(run_dir).acquire()
    return caught.value


def test_lock_of_another_process_is_refused_and_names_its_pid(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        error = refusal(tmp_path)
        assert error.code == "data_error-in_use"
        assert error.arguments == {"path": str(tmp_path.parent), "pid": process.pid}
        assert f"(process {process.pid})" in default_messages().error(error)


def test_lock_of_a_killed_process_is_free_although_its_child_lives(tmp_path: Path) -> None:
    with holder(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
        process.wait()
        with DataDirLock(tmp_path):
            assert refusal(tmp_path).arguments["pid"] == os.getpid()


def test_lock_in_the_same_process_excludes_and_is_free_after_release(tmp_path: Path) -> None:
    first = DataDirLock(tmp_path)
    with first:
        first.acquire()
        assert refusal(tmp_path).arguments["pid"] == os.getpid()
        assert not os.get_inheritable(first._descriptor or -1)
    first.release()
    with DataDirLock(tmp_path):
        pass
    assert (tmp_path / "lock").read_text() == ""
    assert (tmp_path / "lock").stat().st_mode & 0o777 == 0o600


def test_lock_survives_the_file_being_read_by_others(tmp_path: Path) -> None:
    with DataDirLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
        assert refusal(tmp_path).code == "data_error-in_use"


@pytest.mark.parametrize("content", [b"", b"garbage\n", b"\xff\xfe", b"9" * 100])
def test_lock_file_with_old_content_is_no_holder(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "lock").write_bytes(content)
    with DataDirLock(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_lock_whose_holder_wrote_no_pid_is_refused_without_one(tmp_path: Path) -> None:
    with DataDirLock(tmp_path):
        (tmp_path / "lock").write_text("not a number")
        error = refusal(tmp_path)
    assert "pid" not in error.arguments
    assert "another Llamero. Stop" in default_messages().error(error)


def test_lock_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("data")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    assert refusal(tmp_path).code == "data_error-directory_unwritable"
    assert (tmp_path / "precious").read_text() == "data"


def test_lock_in_a_directory_that_is_missing_or_closed_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "missing").code == "data_error-directory_unwritable"
    with reachable_directory() as directory:

        def attempt() -> str:
            try:
                DataDirLock(directory).acquire()
            except IoFailed as error:
                return error.code
            return ""

        assert as_nobody(attempt) == "data_error-directory_unwritable"
