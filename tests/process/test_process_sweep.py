"""The sweep at start: ends what is proven to be ours, and touches nothing else."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llamero.infrastructure.processes import table
from llamero.infrastructure.processes.records import ChildRecord, Records, RunRecord, read_records
from llamero.infrastructure.processes.sweep import sweep
from llamero.infrastructure.processes.table import Key
from llamero.models.processes import SweepReport
from tests.fakes.launch import fake_engine, journal
from tests.process.support import Host, end_all, eventually, involved, is_running, running_spawner, spawn_engine

RUN = "0123456789abcdef" * 2


@pytest.fixture
def dead_app() -> Key:
    process = subprocess.Popen(["/bin/true"])
    entry = table.lookup(process.pid)
    assert entry is not None
    process.wait()
    return entry.key


@pytest.fixture
def stranger() -> Iterator[Key]:
    process = subprocess.Popen(["/bin/sleep", "600"])
    entry = table.lookup(process.pid)
    assert entry is not None
    yield entry.key
    process.kill()
    process.wait()


def write(directory: Path, app: Key, *children: ChildRecord) -> Path:
    records = Records(directory, RUN, app)
    records.open()
    for child in children:
        records.add(child)
    return directory / f"children-{RUN}.json"


@pytest.mark.parametrize("forks", [[], ["same_session", "own_session", "double_fork"]])
async def test_sweep_after_app_and_guardian_were_killed_ends_the_leftovers(forks: list[str], tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=forks, ignore_sigterm=True)
    host = Host("ready", tmp_path / "run", engine, path="/nowhere")
    try:
        assert host.guardian is not None
        os.kill(host.process.pid, signal.SIGSTOP)  # so that it cannot replace its guardian
        os.kill(host.guardian, signal.SIGKILL)
        host.kill()
        everyone = involved(engine)
        assert all(map(is_running, everyone)), "there must be something to sweep"
        async with running_spawner(tmp_path / "run") as spawner:
            report = await spawner.swept()
            assert set(report.killed) == everyone
            assert report.unverified == ()
            assert not any(map(is_running, everyone))
            assert list((tmp_path / "run").iterdir()) == []
    finally:
        host.kill()
        end_all(involved(engine))


async def test_sweep_after_the_child_died_ends_its_forgotten_descendant(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path, fork=["double_fork"], ignore_sigterm=True)
    host = Host("ready", tmp_path / "run", engine, path="/nowhere")
    try:
        assert host.guardian is not None
        assert host.child is not None
        os.kill(host.process.pid, signal.SIGSTOP)
        os.kill(host.guardian, signal.SIGKILL)
        os.kill(host.child, signal.SIGKILL)
        host.kill()
        await eventually(lambda: not is_running(host.child or 0))
        forked = journal(engine, "forked")[0]["pid"]
        assert is_running(forked)
        assert sweep(tmp_path / "run").killed == (forked,)
        assert not is_running(forked)
    finally:
        host.kill()
        end_all(involved(engine))


def test_sweep_of_a_reused_process_id_leaves_the_stranger_alone(tmp_path: Path, dead_app: Key, stranger: Key) -> None:
    write(tmp_path, dead_app, ChildRecord(stranger.pid, stranger.started - 1, f"{RUN}:1", "/bin/engine"))
    assert sweep(tmp_path) == SweepReport()
    assert is_running(stranger.pid)
    assert list(tmp_path.iterdir()) == []


def test_sweep_of_a_process_without_the_mark_leaves_it_alone(tmp_path: Path, dead_app: Key, stranger: Key) -> None:
    write(tmp_path, dead_app, ChildRecord(stranger.pid, stranger.started, f"{RUN}:1", "/bin/sleep"))
    assert sweep(tmp_path) == SweepReport(unverified=(stranger.pid,))
    assert is_running(stranger.pid)


async def test_sweep_while_the_other_app_runs_leaves_its_children_alone(tmp_path: Path) -> None:
    engine = fake_engine(tmp_path)
    async with running_spawner(tmp_path / "run") as other:
        child = await spawn_engine(other, engine)
        async with running_spawner(tmp_path / "run") as spawner:
            assert await spawner.swept() == SweepReport()
        assert child.returncode is None
        assert is_running(child.pid)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"run":"","app":[1,1]}', b'{"run":"..","app":[1,1]}', b'{"run":1}', b"null"],
)
def test_sweep_of_a_file_that_makes_no_sense_sets_it_aside(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"children-{RUN}.json"
    path.write_bytes(content)
    assert sweep(tmp_path) == SweepReport()
    assert [entry.name for entry in tmp_path.iterdir()] == [f"children-{RUN}.bad"]


def test_sweep_without_a_directory_finds_nothing(tmp_path: Path) -> None:
    assert sweep(tmp_path / "missing") == SweepReport()


async def test_records_name_the_running_children_and_only_them(tmp_path: Path) -> None:
    async with running_spawner(tmp_path) as spawner:
        child = await spawner.spawn(["/bin/sleep", "600"])
        path = tmp_path / f"children-{spawner.run}.json"
        assert [record for _, record in read_records(tmp_path)] == [
            RunRecord(
                spawner.run,
                Key(os.getpid(), table.lookup(os.getpid()).started),  # type: ignore[union-attr]
                (ChildRecord(child.pid, child.key.started, child.mark, "/bin/sleep"),),
            )
        ]
        assert path.stat().st_mode & 0o777 == 0o600
        await child.stop(1)
        assert json.loads(path.read_text())["children"] == []
    assert not path.exists()


async def test_records_that_cannot_be_written_do_not_keep_a_child_from_starting(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    async with running_spawner(blocked / "run") as spawner:
        child = await spawner.spawn(["/bin/sleep", "600"])
        assert (await child.stop(1)).exit_status == -signal.SIGTERM


def test_table_agrees_with_an_independent_reading() -> None:
    for entry in table.processes():
        try:
            process = psutil.Process(entry.pid)
            assert (entry.parent, entry.session) == (process.ppid(), os.getsid(entry.pid))
        except (psutil.NoSuchProcess, ProcessLookupError):
            continue
    own = table.lookup(os.getpid())
    assert own is not None
    assert table.is_alive(own.key)
    assert not table.is_alive(Key(own.pid, own.started + 1))
    assert not table.send_signal(Key(own.pid, own.started + 1), signal.SIGKILL)


def test_mark_of_processes_with_and_without_one(stranger: Key) -> None:
    marked = subprocess.Popen(["/bin/sleep", "600"], env={"A": "1", "LLAMERO_CHILD": f"{RUN}:12", "B": "2"})
    naked = subprocess.Popen(["/bin/sleep", "600"], env={})
    try:
        marks = [table.mark_of(table.lookup(pid)) for pid in (marked.pid, naked.pid, stranger.pid)]  # type: ignore[arg-type]
        assert marks[0] == f"{RUN}:12"
        assert not marks[1]
        assert marks[2] == ""
    finally:
        for process in (marked, naked):
            process.kill()
            process.wait()
