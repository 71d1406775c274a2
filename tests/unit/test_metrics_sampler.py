"""The machine's own sensors: CPU from counters, RAM, and process trees of real processes."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from llamero.infrastructure.gpu import GpuFailed, GpuReaderMissing
from llamero.infrastructure.gpu_probe import GpuProbe
from llamero.infrastructure.metrics import CpuLoad, HardwareSampler
from llamero.infrastructure.process_metrics import ProcessSampler
from llamero.models.metrics import GpuMetrics
from tests.fakes.clock import FakeClock

Times = namedtuple("Times", "user system idle iowait guest")


class FakeReader:
    """A GPU reader that gives what it is told to."""

    def __init__(self, answer: tuple[GpuMetrics, ...] | GpuFailed = ()) -> None:
        self.answer = answer
        self.memory: dict[int, int] = {}
        self.closed = 0

    def read(self) -> tuple[GpuMetrics, ...]:
        if isinstance(self.answer, GpuFailed):
            raise self.answer
        return self.answer

    def process_memory(self) -> dict[int, int]:
        return self.memory

    def close(self) -> None:
        self.closed += 1


def missing() -> FakeReader:
    return FakeReader(GpuReaderMissing("not installed"))


def no_gpus(clock: FakeClock) -> GpuProbe:
    return GpuProbe(clock, nvml=missing(), nvidia_smi=missing(), amd=FakeReader())


def load_of(*readings: Sequence[Any]) -> tuple[CpuLoad, FakeClock]:
    clock, remaining = FakeClock(), list(readings)
    return CpuLoad(clock, lambda: remaining.pop(0)), clock


def wait_until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.005)


# CPU


def test_cpu_load_first_reading_is_unknown_rather_than_zero() -> None:
    load, _ = load_of([Times(100, 50, 1000, 0, 0)])
    assert load.read() == (None, ())


def test_cpu_load_is_the_busy_part_between_two_readings() -> None:
    load, clock = load_of(
        [Times(10, 0, 100, 5, 3), Times(10, 0, 100, 5, 0)],
        [Times(11, 1, 101, 6, 4), Times(10, 0, 104, 5, 0)],
    )
    load.read()
    clock.advance(1)
    # A guest's time is part of user time, and waiting for a disk is not work.
    assert load.read() == (pytest.approx(100 * 2 / 8), (pytest.approx(50.0), 0.0))


def test_cpu_load_asked_again_at_once_repeats_the_last_one() -> None:
    load, clock = load_of([Times(0, 0, 0, 0, 0)], [Times(1, 0, 1, 0, 0)])
    load.read()
    clock.advance(1)
    first = load.read()
    clock.advance(0.05)
    assert load.read() == first == (50.0, (50.0,))


def test_cpu_load_with_core_count_changed_is_unknown_once() -> None:
    load, clock = load_of([Times(0, 0, 0, 0, 0)], [Times(1, 0, 1, 0, 0)] * 2, [Times(2, 0, 1, 0, 0)] * 2)
    load.read()
    clock.advance(1)
    assert load.read() == (None, ())
    clock.advance(1)
    assert load.read() == (100.0, (100.0, 100.0))


def test_cpu_load_with_counters_that_stand_still_or_run_back_stays_in_range() -> None:
    load, clock = load_of(
        [Times(10, 0, 10, 5, 0), Times(1, 0, 1, 0, 0)],
        [Times(12, 0, 10, 4, 0), Times(1, 0, 1, 0, 0)],
        [Times(12, 0, 10, 4, 0), Times(1, 0, 1, 0, 0)],
    )
    load.read()
    clock.advance(1)
    assert load.read() == (100.0, (100.0, 0.0))
    clock.advance(1)
    assert load.read() == (None, ())


# The sample


def test_sampler_reads_this_machine() -> None:
    clock = FakeClock()
    sampler = HardwareSampler(clock, gpus=no_gpus(clock))
    first = sampler.sample()
    clock.advance(1)
    threading.Event().wait(0.05)  # real counters need real time to move
    second = sampler.sample()
    assert first.cpu is None
    assert first.cpu_cores == ()
    assert second.cpu is None or 0 <= second.cpu <= 100
    assert second.ram_total == psutil.virtual_memory().total
    assert second.ram_used is not None
    assert 0 < second.ram_used < psutil.virtual_memory().total
    assert (second.at, second.monotonic) == (clock.wall, clock.now)
    assert second.gpus == ()
    assert second.gpu_note == "No NVIDIA or AMD GPU was found."


def test_sampler_with_failing_sensors_says_so_once_and_reads_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    clock = FakeClock()
    broken = True

    def read_cpu() -> Sequence[Any]:
        if broken:
            raise PermissionError(13, "Permission denied", "/proc/stat")
        return [Times(1, 0, 1, 0, 0)]

    def read_memory() -> Any:
        if broken:
            raise RuntimeError("no such file")
        return SimpleNamespace(total=100, available=60)

    gpu = GpuMetrics(index=0, name="A", source="amd-sysfs")
    probe = GpuProbe(clock, nvml=missing(), nvidia_smi=missing(), amd=FakeReader((gpu,)))
    sampler = HardwareSampler(clock, gpus=probe, read_cpu=read_cpu, read_memory=read_memory)
    for _ in range(5):
        clock.advance(1)
        sample = sampler.sample()
    assert (sample.cpu, sample.cpu_cores, sample.ram_used, sample.ram_total) == (None, (), None, None)
    assert sample.gpus == (gpu,)
    broken = False
    for _ in range(5):
        clock.advance(1)
        sample = sampler.sample()
    assert (sample.ram_used, sample.ram_total) == (40, 100)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 4
    assert messages[0].startswith("CPU readings: PermissionError")
    assert messages[2:] == ["CPU readings: working again", "RAM readings: working again"]


def test_sampler_closed_closes_every_reader() -> None:
    clock = FakeClock()
    readers = [FakeReader(), FakeReader(), FakeReader()]
    HardwareSampler(clock, gpus=GpuProbe(clock, nvml=readers[0], nvidia_smi=readers[1], amd=readers[2])).close()
    assert [reader.closed for reader in readers] == [1, 1, 1]


def test_gpu_probe_with_gpus_of_two_vendors_lists_both() -> None:
    nvidia = GpuMetrics(index=0, name="N", source="nvml")
    amd = GpuMetrics(index=0, name="A", source="amd-sysfs")
    probe = GpuProbe(FakeClock(), nvml=FakeReader((nvidia,)), nvidia_smi=missing(), amd=FakeReader((amd,)))
    assert probe.read().gpus == (nvidia, amd)
    assert probe.read().note is None


def test_gpu_probe_with_one_of_two_gpus_lost_shows_the_other_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    alive = GpuMetrics(index=1, name="N", source="nvml")
    nvml = FakeReader(GpuFailed("GPU 0 (N): the GPU is lost", remaining=(alive,)))
    probe = GpuProbe(FakeClock(), nvml=nvml, nvidia_smi=missing(), amd=FakeReader())
    for _ in range(3):
        reading = probe.read()
    assert reading.gpus == (alive,)
    assert reading.note == "GPU 0 (N): the GPU is lost."
    nvml.answer = (alive,)
    for _ in range(3):
        assert probe.read().note is None
    assert [record.getMessage() for record in caplog.records] == [
        "NVIDIA GPU readings: GPU 0 (N): the GPU is lost",
        "NVIDIA GPU readings: working again",
    ]


# Process trees

CHILD = "import sys; print('up', flush=True); sys.stdin.readline()"
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
for line in sys.stdin:
    if line == "work\\n":
        while time.process_time() < 0.3: pass
        print("worked", flush=True)
    if line == "drop\\n":
        child.communicate("")
        print("dropped", flush=True)
child.kill(); child.wait()
""".replace("import subprocess, sys", "import subprocess, sys, time")


class Tree:
    """A real process with one child."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid
        self.child_pid = int(self._answer())

    def tell(self, order: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        self._answer()

    def _answer(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def tree() -> Iterator[Tree]:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdin=-1, stdout=-1, text=True)
    try:
        yield Tree(process)
    finally:
        process.communicate("")


def no_memory() -> dict[int, int]:
    return {}


def test_process_sampler_sums_the_tree_and_has_no_cpu_at_first() -> None:
    with tree() as running:
        measured = ProcessSampler(FakeClock()).sample([running.pid], no_memory)[running.pid]
        alone = psutil.Process(running.pid).memory_info().rss
    assert measured.cpu is None
    assert measured.processes == 2
    assert measured.rss is not None
    assert measured.rss > alone
    assert measured.gpu_memory is None


def test_process_sampler_cpu_is_cpu_time_over_the_time_between_samples() -> None:
    clock = FakeClock()
    sampler = ProcessSampler(clock)
    with tree() as running:
        sampler.sample([running.pid], no_memory)
        before = sum(psutil.Process(running.pid).cpu_times()[:2])
        running.tell("work")
        used = sum(psutil.Process(running.pid).cpu_times()[:2]) - before
        clock.advance(0.5)
        measured = sampler.sample([running.pid], no_memory)[running.pid]
        clock.advance(0.05)
        again = sampler.sample([running.pid], no_memory)[running.pid]
        clock.advance(1000)
        much_later = sampler.sample([running.pid], no_memory)[running.pid]
    assert used >= 0.1
    assert measured.cpu == pytest.approx(100 * used / 0.5, abs=6)
    assert again.cpu == measured.cpu
    assert much_later.cpu == pytest.approx(0, abs=1)


def test_process_sampler_with_vanished_child_measures_the_rest() -> None:
    sampler = ProcessSampler(FakeClock())
    with tree() as running:
        assert sampler.sample([running.pid], no_memory)[running.pid].processes == 2
        running.tell("drop")
        assert sampler.sample([running.pid], no_memory)[running.pid].processes == 1


def test_process_sampler_finds_a_child_started_later() -> None:
    clock = FakeClock()
    sampler = ProcessSampler(clock)
    here = os.getpid()
    before = sampler.sample([here], no_memory)[here].processes
    with tree():
        clock.advance(1.1)
        assert sampler.sample([here], no_memory)[here].processes == before + 2
    assert sampler.sample([here], no_memory)[here].processes == before


def test_process_sampler_with_root_gone_leaves_it_out() -> None:
    sampler = ProcessSampler(FakeClock())
    with tree() as running:
        sampler.sample([running.pid], no_memory)
    assert sampler.sample([running.pid, 2**22 + 1], no_memory) == {}
    assert sampler.sample([], no_memory) == {}


def test_process_sampler_with_root_killed_still_counts_the_orphan() -> None:
    sampler = ProcessSampler(FakeClock())
    with tree() as running:
        sampler.sample([running.pid], no_memory)
        orphan = psutil.Process(running.child_pid)
        # Stopped, it does not notice that its input has ended with its parent.
        orphan.suspend()
        running.process.kill()
        running.process.wait()
        measured = sampler.sample([running.pid], no_memory)[running.pid]
        orphan.kill()
    assert measured.processes == 1
    wait_until(lambda: not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE)


def test_process_sampler_sums_gpu_memory_of_the_tree_only() -> None:
    with tree() as running:
        measured = ProcessSampler(FakeClock()).sample(
            [running.pid], lambda: {running.pid: 10, running.child_pid: 5, 1: 1000}
        )
    assert measured[running.pid].gpu_memory == 15


def test_process_sampler_forgets_roots_that_nobody_asks_for() -> None:
    clock = FakeClock()
    sampler = ProcessSampler(clock)
    with tree() as running:
        sampler.sample([running.pid], no_memory)
        clock.advance(301)
        sampler.sample([], no_memory)
        assert sampler._trees == {}
