"""A stand-in for the program `nvidia-smi`, with every way in which it is known to misbehave.

`install` puts it into a folder. What it does is the word in the file `mode` beside it, read at each run, so a test may
change it in between; each run appends to the file `runs`, and to `overlaps` if another one was still running.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

ROW = "{0}, GPU-0000000{0}, NVIDIA Imaginary 4000, 4{0}, 1024, 16384, 6{0}, 100.5{0}\n"

OUTPUTS: dict[str, tuple[bytes, int]] = {
    "one": (ROW.format(0).encode(), 0),
    "two": ((ROW.format(0) + ROW.format(1)).encode(), 0),
    "carriage-returns": (ROW.format(0).replace("\n", "\r\n").encode(), 0),
    "no-devices": (b"No devices were found\n", 0),
    "no-devices-as-error": (b"No devices were found\n", 6),
    "not-available": (b"0, GPU-00000000, NVIDIA Imaginary 4000, [N/A], [N/A], [N/A], [N/A], [N/A]\n", 0),
    "not-supported": (
        b"0, GPU-00000000, NVIDIA Imaginary 4000, [Not Supported], 1024, 16384, 60, [Not Supported]\n",
        0,
    ),
    "sensor-error": (b"0, GPU-00000000, NVIDIA Imaginary 4000, 40, 1024, 16384, ERR!, [Unknown Error]\n", 0),
    "with-units": (b"0, GPU-00000000, NVIDIA Imaginary 4000, 40 %, 1024 MiB, 16384 MiB, 60, 100.50 W\n", 0),
    "absurd": (b"0, GPU-00000000, NVIDIA Imaginary 4000, 4294967295, -1, 99999999999999, nan, inf\n", 0),
    "cut-line": (b"0, GPU-00000000, NVIDIA Imaginary 4000, 40, 1024, 163", 0),
    "cut-value": (b"0, GPU-00000000, NVIDIA Imaginary 4000, 40, 1024, 16384, 60, 10", 0),
    "extra-columns": (ROW.format(0).replace("\n", ", P2, 1980, [N/A]\n").encode(), 0),
    "same-twice": (ROW.format(0).encode() * 2, 0),
    "noise-around": (b"WARNING: infoROM is corrupted at gpu 0000:01:00.0\n\n" + ROW.format(0).encode() + b"bye\n", 0),
    "latin-1-name": (b"0, GPU-00000000, NVIDIA Imagin\xe9, 40, 1024, 16384, 60, 100.5\n", 0),
    "garbage": (bytes(range(256)) * 16, 0),
    "columns-of-nothing": (b", , , , , , , \n0,,,,,,,\n", 0),
    "empty": (b"", 0),
    "blank": (b"\n  \n\t\n", 0),
    "driver-mismatch": (b"Failed to initialize NVML: Driver/library version mismatch\n", 18),
    "gpu-lost": (b"Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.\n", 15),
    "row-then-failure": (ROW.format(0).encode() + b"Unable to determine the device handle for GPU 1\n", 15),
    "silent-failure": (b"", 255),
}


def install(directory: Path, mode: str) -> Path:
    """Put the program into `directory`, to be found there as `nvidia-smi`; returns its path."""
    directory.mkdir(parents=True, exist_ok=True)
    program = directory / "nvidia-smi"
    program.write_text(f"#!{sys.executable} -IS\n" + Path(__file__).read_text())
    program.chmod(0o755)
    set_mode(directory, mode)
    return program


def set_mode(directory: Path, mode: str) -> None:
    """Say what the next run does."""
    fresh = directory / "mode.new"
    fresh.write_text(mode)
    fresh.replace(directory / "mode")


def runs(directory: Path) -> list[int]:
    """The process id of every run so far."""
    with contextlib.suppress(FileNotFoundError):
        return [int(line) for line in (directory / "runs").read_text().splitlines()]
    return []


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(line + "\n")


def main() -> int:
    here = Path(sys.argv[0]).resolve().parent
    _append(here / "arguments", " ".join(sys.argv[1:]))
    claim = here / "running"
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        _append(here / "overlaps", str(os.getpid()))
    _append(here / "runs", str(os.getpid()))
    mode = (here / "mode").read_text()
    try:
        return _misbehave(here, mode)
    finally:
        claim.unlink(missing_ok=True)


def _misbehave(here: Path, mode: str) -> int:
    if mode == "hang":
        signal.pause()
    if mode == "hang-with-child":  # the child holds the output open after its parent is gone
        child = os.fork()
        if child == 0:
            signal.pause()
        _append(here / "children", str(child))
        os._exit(0)
    if mode == "hang-after-output":
        os.write(1, OUTPUTS["one"][0])
        os.close(1)
        signal.pause()
    if mode == "flood":
        with contextlib.suppress(BrokenPipeError):
            while True:
                os.write(1, b"0, GPU-00000000, a line that never ends " * 1000)
        return 0
    if mode == "wait":  # until a test lets it go
        while not (here / "go").exists():
            signal.sigtimedwait([], 0.005)
        mode = "one"
    output, exit_status = OUTPUTS[mode]
    os.write(1, output)
    return exit_status


if __name__ == "__main__":
    sys.exit(main())
