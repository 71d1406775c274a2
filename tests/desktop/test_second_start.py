"""A second start brings the first window forward and ends; what a killed one left behind stops nobody."""

from __future__ import annotations

import json
import os
import signal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread, Timer

import psutil
import pytest

from llamero.desktop.single_instance import hand_over
from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.infrastructure.instance_record import Announcement, read_instance_record
from llamero.models.desktop import InstanceRecord
from tests.desktop.conftest import Launch
from tests.desktop.desktop_app import gone
from tests.desktop.x11 import Display, wait_for
from tests.fakes.unprivileged import as_nobody, reachable_directory
from tests.unit.test_data_dir_lock import holder


def test_second_start_raises_the_first_window_and_hands_over_its_command_line(
    launch: Launch, toolkit: str, display: Display, tmp_path: Path
) -> None:
    first = launch(toolkit=toolkit)
    first.event("report")
    window = display.window()
    other = launch(toolkit=toolkit, data_dir=tmp_path / "other")
    other.event("report")
    above = wait_for(lambda: [w for w in display.windows("Llamero") if w != window], "the other window")
    assert display.windows("Llamero")[-1] == above[0]

    record = tmp_path / "data" / "run" / "instance.json"
    assert record.stat().st_mode & 0o777 == 0o600
    second = launch("models/a.gguf", "--odd=$(name)", "ü", toolkit=toolkit)
    assert second.wait(10) == 0
    assert second.names() == ["handed_over"]
    activated = first.event("activated")
    assert activated["arguments"] == ["models/a.gguf", "--odd=$(name)", "ü"]
    assert activated["working_directory"] == str(Path.cwd())
    assert wait_for(lambda: display.windows("Llamero")[-1] == window, "the first window above the other")
    display.close(window)
    assert first.wait(5) == 0
    assert not record.exists()


def test_start_after_kill_9_opens_although_the_record_is_still_there(
    launch: Launch, display: Display, tmp_path: Path
) -> None:
    first = launch(toolkit="qt")
    first.event("report")
    processes = first.tree()
    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    assert (tmp_path / "data" / "run" / "instance.json").exists()
    second = launch(toolkit="qt")
    second.event("report")
    record = read_instance_record(tmp_path / "data" / "run")
    assert record is not None and record.pid == second.process.pid
    # The browser's helpers end by themselves when their window's process is gone; the engines have their guardian.
    assert gone([process for process in processes if not is_child_of_the_fake(process)])


def is_child_of_the_fake(process: psutil.Process) -> bool:
    """The fake's own child has no guardian."""
    try:
        return "time.sleep(600)" in " ".join(process.cmdline())
    except psutil.Error:
        return False


def test_start_in_a_folder_that_has_been_deleted_is_a_start_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert not hand_over(tmp_path / "nobody", ["model.gguf"])


def test_hand_over_in_a_directory_that_nobody_holds_is_ours(tmp_path: Path) -> None:
    assert not hand_over(tmp_path / "missing", [])
    (tmp_path / "lock").touch()
    Announcement(tmp_path, port=1, token="old").publish()
    assert not hand_over(tmp_path, [])
    with DataDirLock(tmp_path):
        pass  # and it is free again


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"port":0,"token":"t","pid":1}', b"x" * 100_000])
def test_hand_over_to_a_holder_without_a_window_gives_up_in_time(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "instance.json").write_bytes(content)
    with holder(tmp_path):
        assert not hand_over(tmp_path, [], patience_s=0.2)


def test_hand_over_waits_for_a_holder_that_is_still_starting(tmp_path: Path) -> None:
    with holder(tmp_path), answering({"pid": os.getpid()}) as server:
        announcement = Announcement(tmp_path, port=server.server_port, token="secret")
        starting = Timer(0.3, announcement.publish)
        starting.start()
        assert hand_over(tmp_path, ["a"], patience_s=10)
        starting.join()
    assert server.seen == [("Bearer secret", {"arguments": ["a"], "working_directory": str(Path.cwd())})]
    announcement.withdraw()
    assert not (tmp_path / "instance.json").exists()


@pytest.mark.parametrize("answer", [None, {}, {"pid": 1}, [], "forward"])
def test_hand_over_to_a_stranger_on_that_port_is_no_hand_over(tmp_path: Path, answer: object) -> None:
    with holder(tmp_path), answering(answer) as server:
        Announcement(tmp_path, port=server.server_port, token="secret").publish()
        assert not hand_over(tmp_path, [], patience_s=0.1)


def test_announcement_takes_back_only_its_own_record(tmp_path: Path) -> None:
    ours = Announcement(tmp_path, port=5526, token="ours")
    ours.publish()
    content = json.dumps({"port": 5527, "token": "theirs", "pid": 1})
    (tmp_path / "instance.json").write_text(content)
    ours.withdraw()
    assert read_instance_record(tmp_path) == InstanceRecord(port=5527, token="theirs", pid=1)


def test_announcement_that_cannot_be_written_says_where() -> None:
    with reachable_directory() as directory:

        def attempt() -> str:
            try:
                Announcement(directory, port=1, token="t").publish()
            except Exception as error:
                return str(getattr(error, "code", error))
            return ""

        assert as_nobody(attempt) == "data_error-directory_unwritable"


class answering:  # noqa: N801
    """A server that answers every POST with the same JSON, or not as HTTP at all."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def __enter__(self) -> _Server:
        self._server = _Server(self._answer)
        return self._server

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(HTTPServer):
    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.seen: list[tuple[str, object]] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.headers["Authorization"], body))
        if self.server.answer is None:
            self.wfile.write(b"220 not http\r\n")
            return
        content = json.dumps(self.server.answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass
