"""The NVML reader with the real `pynvml`, loading a library that is made to misbehave. Each scenario is a process."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.nvml_library import build_fake_nvml, run_scenario

GIB = 2**30
READINGS = ("utilization", "memory_used", "memory_total", "temperature_c", "power_w")

# Every call that the reader makes, with the readings that a GPU lacks when the call fails for a reason of its own.
SENSORS = {
    "nvmlDeviceGetName": (),
    "nvmlDeviceGetUUID": ("uuid",),
    "nvmlDeviceGetMemoryInfo": ("memory_used", "memory_total"),
    "nvmlDeviceGetUtilizationRates": ("utilization",),
    "nvmlDeviceGetPowerUsage": ("power_w",),
}
SESSION_CODES = {1, 9, 12, 18}
LOST_CODES = {15, 16, 28}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_fake_nvml(tmp_path_factory.mktemp("nvml"))


def test_nvml_reader_without_library_says_not_installed() -> None:
    answer = run_scenario(None, "answer = read()")
    assert answer == {"failure": "GpuReaderMissing", "reason": "no NVIDIA driver is installed", "gpus": []}


def test_nvml_reader_with_file_that_is_no_library_says_not_installed(tmp_path: Path) -> None:
    (tmp_path / "libnvidia-ml.so.1").write_text("not a library")
    assert run_scenario(tmp_path, "answer = read()")["failure"] == "GpuReaderMissing"


def test_nvml_reader_without_gpu_answers_none(library: Path) -> None:
    assert run_scenario(library, "answer = read()", FAKE_NVML_GPUS="0") == {"gpus": []}


@pytest.mark.parametrize("count", [1, 8])
def test_nvml_reader_reads_every_gpu(library: Path, count: int) -> None:
    gpus = run_scenario(library, "answer = read()", FAKE_NVML_GPUS=str(count))["gpus"]
    assert gpus == [
        {
            "index": index,
            "name": "NVIDIA Imaginary 4000",
            "source": "nvml",
            "utilization": 40.0 + index,
            "memory_used": (index + 1) * GIB,
            "memory_total": 16 * GIB,
            "temperature_c": 60.0 + index,
            "power_w": pytest.approx(100.5 + index / 1000),
            "uuid": f"GPU-00000000-0000-0000-0000-{index:012d}",
        }
        for index in range(count)
    ]


def test_nvml_reader_with_every_error_of_every_call_reacts_by_its_class(library: Path) -> None:
    code = f"""
for function in {[*SENSORS, "nvmlInitWithFlags", "nvmlDeviceGetCount", "nvmlDeviceGetHandleByIndex"]!r}:
    for code in [*range(1, 31), 999, 12345]:
        os.environ["FAKE_NVML_FAIL"] = f"{{function}}={{code}}"
        reader = NvmlReader(clock)
        failed = read(reader)
        os.environ["FAKE_NVML_FAIL"] = ""
        clock.advance(3)
        answer[f"{{function}}={{code}}"] = failed, read(reader)
        reader.close()
"""
    answer = run_scenario(library, code, FAKE_NVML_GPUS="1")
    assert len(answer) == 8 * 32
    for case, (failed, later) in answer.items():
        function, code_text = case.split("=")
        number = int(code_text)
        if function == "nvmlInitWithFlags" and number == 12:
            assert failed["failure"] == "GpuReaderMissing", case
        elif function not in SENSORS or number in SESSION_CODES | LOST_CODES:
            assert failed["failure"] == "GpuFailed", case
            assert failed["reason"], case
            assert failed["gpus"] == [], case
        else:
            assert "failure" not in failed, case
            missing = {name for name, value in failed["gpus"][0].items() if value is None}
            assert missing == set(SENSORS[function]), case
        # What was learned of a GPU when the session began stays; readings come back.
        assert "failure" not in later, case
        assert all(later["gpus"][0][name] is not None for name in READINGS), case


def test_nvml_reader_with_newer_temperature_call_missing_uses_the_older(library: Path) -> None:
    answer = run_scenario(library, "answer = read()", FAKE_NVML_FAIL="nvmlDeviceGetTemperatureV=13")
    assert answer["gpus"][0]["temperature_c"] == 60.0


def test_nvml_reader_without_temperature_sensor_reads_the_rest(library: Path) -> None:
    failing = "nvmlDeviceGetTemperatureV=3,nvmlDeviceGetTemperature=3"
    gpu = run_scenario(library, "answer = read()", FAKE_NVML_FAIL=failing)["gpus"][0]
    assert [gpu[name] is None for name in READINGS] == [False, False, False, True, False]


def test_nvml_reader_with_no_sensor_at_all_keeps_the_gpu(library: Path) -> None:
    calls = [*SENSORS, "nvmlDeviceGetTemperatureV", "nvmlDeviceGetTemperature"]
    gpu = run_scenario(library, "answer = read()", FAKE_NVML_FAIL=",".join(f"{call}=3" for call in calls))["gpus"][0]
    assert gpu["name"] == "NVIDIA GPU 0"
    assert all(gpu[name] is None for name in (*READINGS, "uuid"))


def test_nvml_reader_with_values_that_mean_unknown_gives_none(library: Path) -> None:
    gpu = run_scenario(library, "answer = read()", FAKE_NVML_ABSENT="1")["gpus"][0]
    assert all(gpu[name] is None for name in READINGS)


def test_nvml_reader_with_name_that_is_not_utf8_names_the_gpu_by_number(library: Path) -> None:
    code = "os.environb[b'FAKE_NVML_NAME'] = b'Imagin\\xe9'\nanswer = read()"
    assert run_scenario(library, code)["gpus"][0]["name"] == "NVIDIA GPU 0"


def test_nvml_reader_with_one_lost_gpu_goes_on_reading_the_others_until_it_is_back(
    library: Path, tmp_path: Path
) -> None:
    log = tmp_path / "sessions"
    code = """
answer["whole"] = read()
for _ in range(5):
    answer["broken"] = read()
answer["sessions"] = Path(os.environ["FAKE_NVML_LOG"]).read_text().split()
os.environ["FAKE_NVML_LOST"] = "1:0"
clock.advance(2)
answer["still"] = read()
del os.environ["FAKE_NVML_LOST"]
clock.advance(3.9)
answer["early"] = read()
clock.advance(0.2)
answer["back"] = read()
reader.close()
answer["all_sessions"] = Path(os.environ["FAKE_NVML_LOG"]).read_text().split()
"""
    answer = run_scenario(library, code, FAKE_NVML_GPUS="3", FAKE_NVML_LOST="1:8", FAKE_NVML_LOG=str(log))
    assert "failure" not in answer["whole"]
    for moment in ("broken", "still", "early"):
        assert answer[moment]["failure"] == "GpuFailed"
        assert answer[moment]["reason"].startswith("GPU 1 ("), moment
        assert "the GPU is lost" in answer[moment]["reason"], moment
        alive = [gpu["utilization"] is not None for gpu in answer[moment]["gpus"]]
        assert alive == [True, False, True], moment
    assert answer["sessions"] == ["begin"]
    assert [gpu["utilization"] for gpu in answer["back"]["gpus"]] == [40.0, 41.0, 42.0]
    assert answer["all_sessions"] == ["begin", "end"] * 3


def test_nvml_reader_with_gpu_that_vanishes_reads_those_that_remain(library: Path) -> None:
    code = """
answer["whole"] = len(read()["gpus"])
os.environ["FAKE_NVML_LOST"] = "1:0"
answer["lost"] = read()
os.environ["FAKE_NVML_GPUS"] = "1"  # the driver has taken it off its list
del os.environ["FAKE_NVML_LOST"]
clock.advance(3)
answer["after"] = read()
os.environ["FAKE_NVML_GPUS"] = "0"
reader.close()
answer["none"] = read()
"""
    answer = run_scenario(library, code, FAKE_NVML_GPUS="2")
    assert answer["whole"] == 2
    assert [gpu["power_w"] is not None for gpu in answer["lost"]["gpus"]] == [True, False]
    assert [gpu["index"] for gpu in answer["after"]["gpus"]] == [0]
    assert "failure" not in answer["after"]
    assert answer["none"] == {"gpus": []}


def test_nvml_reader_with_every_gpu_lost_fails_and_remains_none(library: Path) -> None:
    answer = run_scenario(library, "read(); answer = read()", FAKE_NVML_LOST="0:5")
    assert answer["failure"] == "GpuFailed"
    assert answer["gpus"] == []


def test_nvml_reader_with_one_gpu_it_may_not_open_reads_the_others(library: Path) -> None:
    answer = run_scenario(
        library, "answer = read()", FAKE_NVML_GPUS="2", FAKE_NVML_FAIL="nvmlDeviceGetHandleByIndex@0=4"
    )
    assert answer["failure"] == "GpuFailed"
    assert "Insufficient Permissions" in answer["reason"]
    assert [gpu["power_w"] is not None for gpu in answer["gpus"]] == [False, True]


def test_nvml_reader_with_driver_updated_under_it_explains_and_backs_off(library: Path, tmp_path: Path) -> None:
    log = tmp_path / "sessions"
    log.touch()
    code = """
answer["failures"] = []
for _ in range(300):
    if read()["reason"] not in answer["failures"]:
        answer["failures"].append(read()["reason"])
    clock.advance(1)
os.environ["FAKE_NVML_FAIL"] = ""
clock.advance(60)
answer["back"] = read()
"""
    answer = run_scenario(library, code, FAKE_NVML_FAIL="nvmlInitWithFlags=18", FAKE_NVML_LOG=str(log))
    assert len(answer["failures"]) == 1
    assert "restart the machine" in answer["failures"][0]
    assert len(answer["back"]["gpus"]) == 1


def test_nvml_reader_with_session_gone_begins_a_new_one_after_the_back_off(library: Path, tmp_path: Path) -> None:
    code = """
import pynvml
read()
pynvml.nvmlShutdown()
answer["gone"] = read()
answer["held"] = read()
clock.advance(2.1)
answer["back"] = read()
"""
    answer = run_scenario(library, code)
    assert answer["gone"]["failure"] == answer["held"]["failure"] == "GpuFailed"
    assert len(answer["back"]["gpus"]) == 1


def test_nvml_reader_sums_process_memory_over_gpus_and_counts_both_lists_once(library: Path) -> None:
    processes = "0:C:100:1000,0:G:100:1000,1:C:100:500,0:C:200:-1,1:G:300:7,0:C:400:3,0:C:400:4"
    code = "answer = {str(pid): used for pid, used in reader.process_memory().items()}"
    answer = run_scenario(library, code, FAKE_NVML_GPUS="2", FAKE_NVML_PROCESSES=processes)
    assert answer == {"100": 1500, "300": 7, "400": 7}


def test_nvml_reader_with_older_driver_lists_processes_by_the_older_call(library: Path) -> None:
    code = "answer = {str(pid): used for pid, used in reader.process_memory().items()}"
    failing = "nvmlDeviceGetComputeRunningProcesses_v3=13,nvmlDeviceGetGraphicsRunningProcesses_v3=13"
    assert run_scenario(library, code, FAKE_NVML_FAIL=failing, FAKE_NVML_PROCESSES="0:C:5:9") == {"5": 9}
    none = failing + ",nvmlDeviceGetComputeRunningProcesses_v2=13,nvmlDeviceGetGraphicsRunningProcesses_v2=3"
    assert run_scenario(library, code, FAKE_NVML_FAIL=none, FAKE_NVML_PROCESSES="0:C:5:9") == {}


def test_nvml_reader_closed_gives_the_session_back_and_opens_again(library: Path, tmp_path: Path) -> None:
    log = tmp_path / "sessions"
    code = """
for _ in range(3):
    answer["gpus"] = len(read()["gpus"])
    reader.close()
    reader.close()
answer["sessions"] = Path(os.environ["FAKE_NVML_LOG"]).read_text().split()
"""
    answer = run_scenario(library, code, FAKE_NVML_LOG=str(log))
    assert answer == {"gpus": 1, "sessions": ["begin", "end"] * 3}


def test_gpu_probe_with_driver_that_hangs_answers_from_memory_then_says_so(library: Path, tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    code = """
import threading
from llamero.infrastructure.gpu_probe import GpuProbe, PatientReader
probe = GpuProbe(clock, nvml=PatientReader(reader, name="NVML", clock=clock, patience_s=0.05))
def notes():
    reading = probe.read()
    return [len(reading.gpus), reading.note]
while not probe.read().gpus:
    pass
hang = Path(os.environ["FAKE_NVML_HANG"])
hang.touch()
answer["first"] = notes()
clock.advance(5)
answer["second"] = notes()
answer["threads"] = sum(thread.name.startswith("ask-") for thread in threading.enumerate())
clock.advance(6)
answer["third"] = notes()
probe.close()
hang.unlink()
for thread in threading.enumerate():
    if thread.name.startswith("ask-"):
        thread.join(10)
while not probe.read().gpus:
    pass
answer["back"] = notes()
probe.close()
answer["left"] = threading.active_count()
"""
    answer = run_scenario(library, code, FAKE_NVML_HANG=str(hang))
    assert answer["first"] == answer["second"] == answer["back"] == [1, None]
    assert answer["threads"] == 1
    assert answer["third"] == [0, "NVML has not answered for 11 s."]
    assert answer["left"] == 1


def test_gpu_probe_before_the_first_answer_says_it_is_waiting(library: Path, tmp_path: Path) -> None:
    hang = tmp_path / "hang"
    hang.touch()
    code = """
from llamero.infrastructure.gpu_probe import GpuProbe, PatientReader
probe = GpuProbe(clock, nvml=PatientReader(reader, name="NVML", clock=clock, patience_s=0.05))
answer["note"] = probe.read().note
Path(os.environ["FAKE_NVML_HANG"]).unlink()
probe.close()
"""
    assert run_scenario(library, code, FAKE_NVML_HANG=str(hang)) == {"note": "NVML has not answered yet."}


def test_hardware_sampler_over_nvml_measures_gpus_and_the_memory_of_a_tree(library: Path) -> None:
    code = """
import subprocess
from llamero.infrastructure.metrics import HardwareSampler
child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
os.environ["FAKE_NVML_PROCESSES"] = f"0:C:{os.getpid()}:1000,0:C:{child.pid}:234,1:C:1:5"
sampler = HardwareSampler(clock)
answer["gpus"] = len(sampler.sample().gpus)
tree = sampler.processes([os.getpid()])[os.getpid()]
child.communicate(b"\\n")
sampler.close()
answer["processes"], answer["gpu_memory"] = tree.processes, tree.gpu_memory
"""
    answer = run_scenario(library, code, FAKE_NVML_GPUS="2", PATH=os.environ["PATH"])
    assert answer == {"gpus": 2, "processes": 2, "gpu_memory": 1234}
