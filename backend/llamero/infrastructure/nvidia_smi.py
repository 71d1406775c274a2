"""NVIDIA GPUs through the program `nvidia-smi`, for where NVML cannot be used although the driver is there.

The program is slow (tens of milliseconds to seconds), may hang and prints what it likes: at most one runs, it is killed
with its children after a timeout, what it prints is read up to a limit, and every line that is not a reading is passed
over. A value it does not give (`[N/A]`, `[Not Supported]`, `ERR!`) is None.

Format: `nvidia-smi --help-query-gpu`; memory in MiB, power in W, temperature in degrees Celsius.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.gpu import (
    GpuFailed,
    GpuReaderMissing,
    Retry,
    celsius,
    memory_bytes,
    percent,
    watts,
)
from llamero.infrastructure.processes.console import NO_CONSOLE_WINDOW
from llamero.models.metrics import GpuMetrics

FIELDS = ("index", "uuid", "name", "utilization.gpu", "memory.used", "memory.total", "temperature.gpu", "power.draw")
ARGUMENTS = (f"--query-gpu={','.join(FIELDS)}", "--format=csv,noheader,nounits")
OUTPUT_LIMIT = 64 * 1024
MIB = 1024 * 1024

# `nounits` is not honoured for every field by every version, so a unit is allowed where it is the expected one.
NUMBER = re.compile(r"(-?\d{1,12}(?:\.\d{1,6})?)(?: ?(?:%|MiB|W|C))?")


def find_nvidia_smi() -> str | None:
    """The program on PATH, where every driver installer puts it."""
    return shutil.which("nvidia-smi")


class NvidiaSmiReader:
    """Runs the program and waits for it, at most `timeout_s` seconds; call it from a thread that may wait."""

    def __init__(
        self, clock: Clock, *, find: Callable[[], str | None] = find_nvidia_smi, timeout_s: float = 5.0
    ) -> None:
        self._find = find
        self._timeout_s = timeout_s
        self._retry = Retry(clock, first_s=5.0)
        self._running = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self) -> tuple[GpuMetrics, ...]:
        """Read every GPU. Raises `GpuReaderMissing` without the program, `GpuFailed` for any failure of it."""
        with self._running:
            program = self._find()
            if program is None:
                raise GpuReaderMissing("nvidia-smi is not installed")
            self._retry.check()
            try:
                gpus = self._ask(program)
            except GpuFailed as failure:
                raise self._retry.failed(failure) from None
            self._retry.succeeded()
            return gpus

    def process_memory(self) -> dict[int, int]:
        """Nothing: it would take a second run of a slow program for every sample."""
        return {}

    def close(self) -> None:
        """Kill the program if it runs; the reader that waits for it then fails at once."""
        process = self._process
        if process is not None:
            _kill(process)
        with self._running:
            self._retry.succeeded()

    def _ask(self, program: str) -> tuple[GpuMetrics, ...]:
        output, exit_status = self._run(program)
        gpus = parse_readings(output)
        if exit_status != 0:
            raise GpuFailed(f"nvidia-smi failed (exit status {exit_status}): {_gist(output)}", remaining=gpus)
        if not gpus and b"No devices were found" not in output:
            raise GpuFailed(f"nvidia-smi gave no reading: {_gist(output)}")
        return gpus

    def _run(self, program: str) -> tuple[bytes, int]:
        """Run it to its end, or kill it: past the timeout, or once it printed more than any reading can be."""
        try:
            process = subprocess.Popen(
                [program, *ARGUMENTS],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                creationflags=NO_CONSOLE_WINDOW,
                env={**os.environ, "LC_ALL": "C"},
            )
        except OSError as error:
            raise GpuFailed(f"nvidia-smi cannot be started: {error.strerror or error}") from error
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            _kill(process)

        watchdog = threading.Timer(self._timeout_s, give_up)
        watchdog.daemon = True
        self._process = process
        try:
            watchdog.start()
            assert process.stdout is not None  # noqa: S101  # asked for above
            output = process.stdout.read(OUTPUT_LIMIT + 1)
            if len(output) <= OUTPUT_LIMIT:
                process.wait()  # it closed its output; the watchdog ends it if it stays
        finally:
            _kill(process)
            exit_status = process.wait()
            watchdog.cancel()
            self._process = None
            if process.stdout is not None:
                process.stdout.close()
        if timed_out.is_set():
            raise GpuFailed(f"nvidia-smi did not answer within {self._timeout_s:g} s and was stopped")
        if len(output) > OUTPUT_LIMIT:
            raise GpuFailed("nvidia-smi printed far more than readings and was stopped")
        return output, exit_status


def parse_readings(output: bytes) -> tuple[GpuMetrics, ...]:
    """The GPUs in what the program printed, each once; lines that are no reading are passed over.

    The last value of a line that is too short, or of an output that ends within a line, may be cut off: it is not
    believed. Columns beyond the known ones are ignored.
    """
    text = output.decode("utf-8", errors="replace")
    gpus: dict[int, GpuMetrics] = {}
    for line in text.splitlines(keepends=True):
        values = [value.strip() for value in line.split(",")]
        if len(values) < len(FIELDS) or (len(values) == len(FIELDS) and not line.endswith(("\n", "\r"))):
            values.pop()
        gpu = _reading(values)
        if gpu is not None:
            gpus.setdefault(gpu.index, gpu)
    return tuple(gpus.values())


def _reading(values: list[str]) -> GpuMetrics | None:
    """One line as a GPU; None if it does not begin with a number and an identity, as every reading does."""
    if len(values) < 2 or not re.fullmatch(r"\d{1,4}", values[0], re.ASCII):
        return None
    if not values[1].startswith(("GPU-", "MIG-", "[")):
        return None
    values = [*values, *[""] * (len(FIELDS) - len(values))]
    index = int(values[0])
    total = memory_bytes(_mebibytes(values[5]))
    return GpuMetrics(
        index=index,
        uuid=values[1] if not values[1].startswith("[") else None,
        name=values[2] if values[2] and not values[2].startswith("[") else f"NVIDIA GPU {index}",
        source="nvidia-smi",
        utilization=percent(_number(values[3])),
        memory_used=memory_bytes(_mebibytes(values[4])) if total else None,
        memory_total=total or None,
        temperature_c=celsius(_number(values[6])),
        power_w=watts(_number(values[7])),
    )


def _number(text: str) -> float | None:
    match = NUMBER.fullmatch(text)
    return float(match[1]) if match is not None else None


def _mebibytes(text: str) -> int | None:
    number = _number(text)
    return round(number * MIB) if number is not None else None


def _gist(output: bytes) -> str:
    """The first line that says something (the program reports its errors on stdout), fit for a log."""
    for line in output.decode("utf-8", errors="replace").splitlines():
        printable = "".join(character for character in line if character.isprintable()).strip()
        if printable:
            return printable[:200]
    return "it printed nothing"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it started, which may hold its output open; it leads a group of its own."""
    if process.returncode is not None:
        return  # already waited for: its number may belong to somebody else by now
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
