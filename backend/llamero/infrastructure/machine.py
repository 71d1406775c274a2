"""The processor as people know it: its name, and how many cores it has."""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_CPUINFO_LIMIT = 65536  # the first processor's block; machines with hundreds of them repeat it
_NAMES = ("model name", "hardware", "cpu model")


@functools.cache
def cpu_name() -> str:
    """The name that the manufacturer gave; the architecture where the system does not say."""
    try:
        if sys.platform == "darwin":
            name = _macos_name()
        elif sys.platform == "win32":
            name = platform.processor()
        else:
            with _CPUINFO.open(encoding="ascii", errors="replace") as stream:
                name = name_from_cpuinfo(stream.read(_CPUINFO_LIMIT))
    except (OSError, AttributeError):
        name = ""
    return " ".join(name.split()) or platform.machine()


def name_from_cpuinfo(text: str) -> str:
    """The first name in `/proc/cpuinfo`; empty where there is none, as on most ARM machines."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in _NAMES:
            return value.strip()
    return ""


def processor_counts() -> tuple[int | None, int | None]:
    """Return how many physical cores there are, and how many the system counts."""
    import psutil  # a good part of the start, and nobody asks before something runs

    return psutil.cpu_count(logical=False), psutil.cpu_count(logical=True)


def _macos_name() -> str:
    library = ctypes.CDLL(None)
    buffer = ctypes.create_string_buffer(256)
    size = ctypes.c_size_t(len(buffer))
    if library.sysctlbyname(b"machdep.cpu.brand_string", buffer, ctypes.byref(size), None, 0) != 0:
        return ""
    return buffer.value.decode("utf-8", "replace")
