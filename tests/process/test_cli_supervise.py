"""`llamero ps`, `stop` and `logs` against a real `llamero serve`, one that was killed, and none."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamero.infrastructure.control_client import ControlClient, Refused, Unreachable, find_running
from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.infrastructure.instance_record import CONTROL_RECORD, read_instance_record, write_instance_record
from llamero.models.control import RunningServers
from llamero.models.desktop import InstanceRecord
from tests.fakes.launch import fake_engine, journal
from tests.process.cli import Chat, Home, everyone_gone, serving, until, wait_for_health

STREAMING: dict[str, Any] = {"words": 100_000, "tokens_per_second": 20}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path)
    yield home
    home.end_all()


def running(home: Home) -> list[dict[str, Any]]:
    shown = home.run("ps", "--json")
    assert shown.status == 0, shown
    found: list[dict[str, Any]] = json.loads(shown.stdout)
    return found


def test_cli_ps_and_others_where_nobody_runs_say_so_in_one_sentence(home: Home) -> None:
    for arguments, status in (("ps",), 0), (("stop", "demo"), 1), (("logs",), 1):
        said = home.run(*arguments)
        assert (said.status, said.stdout) == (status, ""), arguments
        assert said.stderr.count("\n") == 1
    assert home.run("ps", "--json").stdout == "[]\n"
    assert not home.data.exists(), "looking makes no directory"


def test_cli_ps_shows_what_runs_and_stop_ends_it(home: Home, demo_model: Path, tmp_path: Path) -> None:
    home.use_engine(engine := fake_engine(tmp_path / "engine", **STREAMING))
    with serving(home, "--port", "0", "--model", demo_model) as server:
        port = server.port()
        (one,) = running(home)
        assert (one["model"], one["state"], one["leases"]) == ("demo-2", "ready", 0)
        assert one["pid"] == journal(engine, "started")[-1]["pid"]
        assert one["memory"] == pytest.approx(psutil.Process(one["pid"]).memory_info().rss, rel=0.5)
        chat = Chat(port, "demo-2")
        next(iter(chat))
        shown = home.run("ps")
        heading, row = shown.stdout.splitlines()
        assert heading.split()[:3] == ["MODEL", "STATE", "PID"]
        assert row.split()[:3] == ["demo-2", "ready", str(one["pid"])]
        assert running(home)[0]["leases"] == 1
        stopped = home.run("stop")
        assert (stopped.status, stopped.stdout, stopped.stderr) == (0, "", "llamero: demo-2 is stopped.\n")
        assert not psutil.pid_exists(one["pid"])
        assert home.run("ps").stderr == "llamero: No model runs.\n"
        assert server.end().status == 0
    assert everyone_gone(home, engine)


def test_cli_stop_with_several_models_asks_which_and_all_stops_all(
    home: Home, demo_model: Path, tmp_path: Path
) -> None:
    home.use_engine(engine := fake_engine(tmp_path / "engine"), "[servers]\nmax_loaded = 2\n")
    with serving(home, "--port", "0", "--model", demo_model) as server:
        assert Chat(server.port(), "demo").text()
        which = home.run("stop")
        assert (which.status, which.stdout) == (1, "")
        assert "demo" in which.stderr and "--all" in which.stderr
        assert len(running(home)) == 2
        unknown = home.run("stop", "nobody")
        assert (unknown.status, unknown.stderr) == (1, "llamero: nobody does not run.\n")
        assert home.run("stop", "demo").stderr == "llamero: demo is stopped.\n"
        assert [one["model"] for one in running(home)] == ["demo-2"]
        assert home.run("stop", "--all").status == 0
        assert running(home) == []
        assert server.end().status == 0
    assert everyone_gone(home, engine)


def test_cli_logs_shows_the_engine_or_everything_and_follows(home: Home, demo_model: Path, tmp_path: Path) -> None:
    home.use_engine(fake_engine(tmp_path / "engine"))
    with serving(home, "--port", "0", "--model", demo_model) as server:
        port = server.port()
        whole = home.run("logs", "demo-2").stdout.splitlines()
        assert any("server is listening" in line for line in whole)
        assert home.run("logs", "demo-2", "-n", "2").stdout.splitlines() == whole[-2:]
        everything = home.run("logs").stdout
        assert "info [demo-2] " in everything
        following = subprocess.Popen(
            home.command("logs", "-f", "-n", "0"), stdout=subprocess.PIPE, encoding="utf-8", env=home.environment()
        )
        seen: list[str] = []

        def read() -> None:
            assert following.stdout is not None
            seen.extend(iter(following.stdout.readline, ""))

        reader = threading.Thread(target=read)
        reader.start()
        # An engine speaks when it starts, which may be before somebody follows.
        until(lambda: (home.run("stop", "demo"), Chat(port, "demo").text(), seen)[2], 20, what="a followed line")
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=10) == 130
        reader.join()
        assert server.end().status == 0


def test_cli_after_kill_9_believes_no_record_that_was_left(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        assert running(home) == []
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        run_dir = home.data / "run"
        record = read_instance_record(run_dir, CONTROL_RECORD)
        assert record is not None
        assert "Bearer" not in "".join(_heard_at(record.port, lambda: home.run("stop", "--all")))
        assert home.run("stop").status == 1
        assert home.run("ps").stderr == "llamero: Nothing runs.\n"


def _heard_at(port: int, act: Any) -> list[str]:
    """What another program that got the port by now would hear."""
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", port)) as other:
        other.settimeout(0.2)
        act()
        with suppress(TimeoutError):
            heard.append(other.accept()[0].recv(4096).decode())
    return heard


def test_cli_stop_while_the_model_still_loads_ends_it(home: Home, tmp_path: Path) -> None:
    home.use_engine(engine := fake_engine(tmp_path / "engine", load_seconds=60))
    with serving(home, "--port", "0") as server:
        port = server.port()
        asking = threading.Thread(target=lambda: Chat(port, "demo").close())
        asking.start()
        until(lambda: [one["state"] for one in running(home)] == ["starting"], timeout_s=20)
        assert home.run("stop").status == 0
        asking.join()
        assert running(home) == []
        assert server.end().status == 0
    assert everyone_gone(home, engine)


def test_cli_ps_says_that_a_model_waits_for_the_room_of_another(home: Home, demo_model: Path, tmp_path: Path) -> None:
    home.use_engine(engine := fake_engine(tmp_path / "engine", ignore_sigterm=True), "[servers]\nmax_loaded = 1\n")
    with serving(home, "--port", "0", "--model", demo_model) as server:
        port = server.port()
        asking = threading.Thread(target=lambda: Chat(port, "demo").close())
        asking.start()
        waits = "llamero: demo is loaded as soon as another model has made room for it.\n"
        until(lambda: home.run("ps").stderr == waits, timeout_s=20)
        asking.join()
        assert [one["held"] for one in running(home)] == [False]
        assert home.run("ps").stderr == ""
        assert server.end().status == 0
    assert everyone_gone(home, engine)


def test_control_record_is_for_its_user_alone_and_goes_with_its_process(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        server.url()
        assert running(home) == []
        file = home.data / "run" / CONTROL_RECORD
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert server.end().status == 0
        assert not file.exists()


def test_control_lets_nobody_in_without_its_token_and_knows_its_commands_alone(home: Home) -> None:
    with serving(home, "--port", "0") as server:
        port = server.port()
        wait_for_health(port)
        assert running(home) == []
        record = read_instance_record(home.data / "run", CONTROL_RECORD)
        assert record is not None
        with pytest.raises(Refused):
            ControlClient(InstanceRecord(port=record.port, token="wrong", pid=record.pid)).call(
                "list_servers", None, RunningServers
            )
        with pytest.raises(Refused, match="get_snapshot"):
            ControlClient(record).call("get_snapshot", None, RunningServers)
        assert _post(record, {"Origin": "http://evil.example"}) == 403
        assert _post(record, {"Host": "evil.example"}) in (400, 403, 421)
        assert record.token not in "".join(file.read_text() for file in (home.data / "logs").iterdir())


def _post(record: InstanceRecord, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", record.port, timeout=5)
    sent = {"Content-Type": "application/json", "Authorization": f"Bearer {record.token}"} | headers
    connection.request("POST", "/bridge/list_servers", b"{}", sent)
    return connection.getresponse().status


def test_find_running_holder_that_does_not_answer_is_said_to_be_there(tmp_path: Path) -> None:
    with DataDirLock(tmp_path), socket.create_server(("127.0.0.1", 0)) as silent:
        write_instance_record(
            tmp_path, InstanceRecord(port=silent.getsockname()[1], token="t", pid=os.getpid()), CONTROL_RECORD
        )
        silent.close()
        with pytest.raises(Unreachable):
            find_running(tmp_path, patience_s=0.2)
