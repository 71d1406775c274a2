"""The fallback through `nvidia-smi`, with a real program that prints and does everything wrong."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from llamero.infrastructure.gpu import GpuFailed, GpuReaderMissing
from llamero.infrastructure.gpu_probe import GpuProbe, PatientReader
from llamero.infrastructure.nvidia_smi import NvidiaSmiReader, find_nvidia_smi
from llamero.models.metrics import GpuMetrics
from tests.fakes import fake_nvidia_smi
from tests.fakes.clock import FakeClock

MIB = 2**20
READINGS = ("utilization", "memory_used", "memory_total", "temperature_c", "power_w")


def reader_of(
    directory: Path, mode: str, *, timeout_s: float = 20.0, clock: FakeClock | None = None
) -> NvidiaSmiReader:
    program = fake_nvidia_smi.install(directory, mode)
    return NvidiaSmiReader(clock or FakeClock(), find=lambda: str(program), timeout_s=timeout_s)


def wait_until(holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.005)


def is_gone(pid: int) -> bool:
    """Gone, or dead and waiting for a parent to notice."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def test_nvidia_smi_reader_reads_every_gpu(tmp_path: Path) -> None:
    gpus = reader_of(tmp_path, "two").read()
    assert gpus[0] == GpuMetrics(
        index=0,
        name="NVIDIA Imaginary 4000",
        source="nvidia-smi",
        utilization=40.0,
        memory_used=1024 * MIB,
        memory_total=16384 * MIB,
        temperature_c=60.0,
        power_w=100.5,
        uuid="GPU-00000000",
    )
    assert [gpu.index for gpu in gpus] == [0, 1]
    assert (tmp_path / "arguments").read_text() == (
        "--query-gpu=index,uuid,name,utilization.gpu,memory.used,memory.total,temperature.gpu,power.draw "
        "--format=csv,noheader,nounits\n"
    )


@pytest.mark.parametrize(
    ("mode", "missing"),
    [
        ("carriage-returns", ()),
        ("with-units", ()),
        ("extra-columns", ()),
        ("same-twice", ()),
        ("noise-around", ()),
        ("latin-1-name", ()),
        ("not-available", READINGS),
        ("not-supported", ("utilization", "power_w")),
        ("sensor-error", ("temperature_c", "power_w")),
        ("absurd", READINGS),
        ("cut-line", ("memory_used", "memory_total", "temperature_c", "power_w")),
        ("cut-value", ("power_w",)),
    ],
)
def test_nvidia_smi_reader_with_odd_output_reads_what_is_there(
    tmp_path: Path, mode: str, missing: tuple[str, ...]
) -> None:
    gpus = reader_of(tmp_path, mode).read()
    assert len(gpus) == 1
    assert gpus[0].name.startswith("NVIDIA Imagin")
    assert [name for name in READINGS if getattr(gpus[0], name) is None] == list(missing)


@pytest.mark.parametrize("mode", ["garbage", "columns-of-nothing", "empty", "blank", "silent-failure"])
def test_nvidia_smi_reader_with_output_that_is_no_reading_fails(tmp_path: Path, mode: str) -> None:
    with pytest.raises(GpuFailed) as caught:
        reader_of(tmp_path, mode).read()
    assert caught.value.reason.isprintable()
    assert len(caught.value.reason) < 300


def test_nvidia_smi_reader_with_failing_program_repeats_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(GpuFailed, match=r"exit status 18.*Driver/library version mismatch"):
        reader_of(tmp_path, "driver-mismatch").read()


def test_nvidia_smi_reader_with_failure_after_a_row_keeps_the_row(tmp_path: Path) -> None:
    with pytest.raises(GpuFailed) as caught:
        reader_of(tmp_path, "row-then-failure").read()
    assert [gpu.index for gpu in caught.value.remaining] == [0]


def test_nvidia_smi_reader_without_devices_answers_none(tmp_path: Path) -> None:
    assert reader_of(tmp_path, "no-devices").read() == ()


def test_nvidia_smi_reader_without_program_says_not_installed(tmp_path: Path) -> None:
    with pytest.raises(GpuReaderMissing):
        NvidiaSmiReader(FakeClock(), find=lambda: None).read()


def test_nvidia_smi_reader_finds_the_program_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = fake_nvidia_smi.install(tmp_path, "one")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_nvidia_smi() == str(program)
    assert len(NvidiaSmiReader(FakeClock()).read()) == 1
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    assert find_nvidia_smi() is None


@pytest.mark.parametrize("content", ["", "#!/nonexistent/interpreter\n"])
def test_nvidia_smi_reader_with_program_that_cannot_start_fails(tmp_path: Path, content: str) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(content)
    program.chmod(0o755)
    with pytest.raises(GpuFailed, match="cannot be started"):
        NvidiaSmiReader(FakeClock(), find=lambda: str(program)).read()


@pytest.mark.parametrize("mode", ["hang", "hang-with-child", "hang-after-output"])
def test_nvidia_smi_reader_with_hanging_program_kills_it_and_its_child(tmp_path: Path, mode: str) -> None:
    # Long enough for the program to have begun: it must hang, not be late.
    with pytest.raises(GpuFailed, match="did not answer within"):
        reader_of(tmp_path, mode, timeout_s=3.0).read()
    processes = fake_nvidia_smi.runs(tmp_path)
    assert len(processes) == 1
    if mode == "hang-with-child":
        processes += [int(line) for line in (tmp_path / "children").read_text().split()]
        assert len(processes) == 2
    for pid in processes:
        wait_until(lambda pid=pid: is_gone(pid))


def test_nvidia_smi_reader_with_endless_output_stops_it(tmp_path: Path) -> None:
    with pytest.raises(GpuFailed, match="far more than readings"):
        reader_of(tmp_path, "flood").read()
    assert is_gone(fake_nvidia_smi.runs(tmp_path)[0])


def test_nvidia_smi_reader_closed_in_the_middle_ends_the_program_at_once(tmp_path: Path) -> None:
    reader = reader_of(tmp_path, "hang", timeout_s=60.0)
    failures: list[GpuFailed] = []

    def ask() -> None:
        try:
            reader.read()
        except GpuFailed as failure:
            failures.append(failure)

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: len(fake_nvidia_smi.runs(tmp_path)) == 1)
    reader.close()
    asking.join(10)
    assert not asking.is_alive()
    assert len(failures) == 1


def test_nvidia_smi_reader_after_a_failure_waits_before_the_next_run(tmp_path: Path) -> None:
    clock = FakeClock()
    reader = reader_of(tmp_path, "driver-mismatch", clock=clock)
    for _ in range(5):
        with pytest.raises(GpuFailed, match="exit status 18"):
            reader.read()
    assert len(fake_nvidia_smi.runs(tmp_path)) == 1
    fake_nvidia_smi.set_mode(tmp_path, "one")
    clock.advance(5)
    assert len(reader.read()) == 1


def test_patient_reader_with_slow_program_runs_one_at_a_time_and_shows_the_last_answer(tmp_path: Path) -> None:
    clock = FakeClock()
    patient = PatientReader(
        reader_of(tmp_path, "one", clock=clock), name="nvidia-smi", clock=clock, patience_s=20.0, period_s=5.0
    )
    first = patient.read()
    assert len(first) == 1
    assert patient.read() == first
    assert len(fake_nvidia_smi.runs(tmp_path)) == 1

    hasty = PatientReader(
        reader_of(tmp_path, "wait", clock=clock), name="nvidia-smi", clock=clock, patience_s=0.0, period_s=5.0
    )

    def ask_in_vain() -> None:
        with pytest.raises(GpuFailed, match="not answered yet"):
            hasty.read()

    asking = [threading.Thread(target=ask_in_vain) for _ in range(20)]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join(10)
    wait_until(lambda: len(fake_nvidia_smi.runs(tmp_path)) == 2)
    clock.advance(9)
    with pytest.raises(GpuFailed, match="not answered yet"):
        hasty.read()
    (tmp_path / "go").touch()
    wait_until(lambda: not (tmp_path / "running").exists())
    wait_until(lambda: not any(thread.name == "ask-nvidia-smi" for thread in threading.enumerate()))
    assert hasty.read() == first
    assert not (tmp_path / "overlaps").exists()
    patient.close()
    hasty.close()


class _FailingNvml:
    """NVML with a driver that does not match its library."""

    def read(self) -> tuple[GpuMetrics, ...]:
        raise GpuFailed("the NVIDIA driver was updated")

    def process_memory(self) -> dict[int, int]:
        raise GpuFailed("the NVIDIA driver was updated")

    def close(self) -> None:
        pass


class _MissingNvml(_FailingNvml):
    """A machine whose NVML library is not where the loader looks."""

    def read(self) -> tuple[GpuMetrics, ...]:
        raise GpuReaderMissing("no NVIDIA driver is installed")


def test_gpu_probe_with_failing_nvml_asks_the_program_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    probe = GpuProbe(FakeClock(), nvml=_FailingNvml(), nvidia_smi=reader_of(tmp_path, "one"))
    for _ in range(3):
        reading = probe.read()
    assert [gpu.source for gpu in reading.gpus] == ["nvidia-smi"]
    assert reading.note == "The NVIDIA driver was updated; nvidia-smi is asked instead."
    assert probe.process_memory() == {}
    assert len(caplog.records) == 1


def test_gpu_probe_with_both_failing_gives_both_reasons_and_no_gpu(tmp_path: Path) -> None:
    probe = GpuProbe(FakeClock(), nvml=_FailingNvml(), nvidia_smi=reader_of(tmp_path, "driver-mismatch"))
    reading = probe.read()
    assert reading.gpus == ()
    assert reading.note is not None
    assert reading.note.startswith("The NVIDIA driver was updated (and nvidia-smi failed (exit status 18)")


def test_gpu_probe_with_library_elsewhere_asks_the_program_without_complaint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    probe = GpuProbe(FakeClock(), nvml=_MissingNvml(), nvidia_smi=reader_of(tmp_path, "one"))
    reading = probe.read()
    assert len(reading.gpus) == 1
    assert reading.note is None
    assert caplog.records == []


def test_nvidia_smi_reader_over_many_runs_leaves_no_descriptor_thread_or_process(tmp_path: Path) -> None:
    clock = FakeClock()
    reader = reader_of(tmp_path, "one", clock=clock)
    reader.read()
    descriptors = len(list(Path("/proc/self/fd").iterdir()))
    for mode in ("one", "garbage", "driver-mismatch", "flood") * 3:
        fake_nvidia_smi.set_mode(tmp_path, mode)
        clock.advance(100)
        with contextlib.suppress(GpuFailed):
            reader.read()
    reader.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
    wait_until(lambda: not any(isinstance(thread, threading.Timer) for thread in threading.enumerate()))
    assert all(is_gone(pid) for pid in fake_nvidia_smi.runs(tmp_path))
