"""What this processor can do, as far as an engine's build depends on it.

The embedded engine is compiled for AVX2: on an x86 processor without it, it would die of an illegal instruction, which
explains nothing. So the answer has to be known before the spawn. Not knowing is no reason to refuse.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from pathlib import Path

CpuReader = Callable[[], "frozenset[str] | None"]
X86 = frozenset(("x86_64", "amd64", "i386", "i686", "x86"))
_CPUINFO = Path("/proc/cpuinfo")
_CPUINFO_LIMIT = 65536  # the first processor's block; machines with hundreds of them repeat it
# https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-isprocessorfeaturepresent
_WINDOWS_FEATURES = {36: "ssse3", 37: "sse4_1", 38: "sse4_2", 39: "avx", 40: "avx2", 41: "avx512f"}
_MACOS_FEATURES = {"hw.optional.avx1_0": "avx", "hw.optional.avx2_0": "avx2", "hw.optional.avx512f": "avx512f"}


def cpu_features() -> frozenset[str] | None:
    """The instruction sets of this processor in Linux's spelling (`avx2`); None where they cannot be read."""
    try:
        if sys.platform == "win32":
            return _windows_features()
        if sys.platform == "darwin":
            return _macos_features()
        with _CPUINFO.open(encoding="ascii", errors="replace") as stream:
            return features_from_cpuinfo(stream.read(_CPUINFO_LIMIT))
    except (OSError, AttributeError):
        return None


def features_from_cpuinfo(text: str) -> frozenset[str] | None:
    """The `flags` (x86) or `Features` (ARM) line of `/proc/cpuinfo`; None when there is none."""
    for line in text.splitlines():
        name, colon, value = line.partition(":")
        if colon and name.strip().lower() in ("flags", "features"):
            return frozenset(value.split())
    return None


def lacks_avx2(features: frozenset[str] | None, machine: str | None = None) -> bool:
    """Is this known to be an x86 processor without AVX2? `machine` as in `platform.machine()`."""
    architecture = (machine if machine is not None else platform.machine()).lower()
    return architecture in X86 and features is not None and "avx2" not in features


def _windows_features() -> frozenset[str] | None:
    kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
    return frozenset(name for code, name in _WINDOWS_FEATURES.items() if kernel.IsProcessorFeaturePresent(code))


def _macos_features() -> frozenset[str] | None:
    library = ctypes.CDLL(None)
    found = set()
    for key, name in _MACOS_FEATURES.items():
        value = ctypes.c_int(0)
        size = ctypes.c_size_t(ctypes.sizeof(value))
        if library.sysctlbyname(key.encode(), ctypes.byref(value), ctypes.byref(size), None, 0) == 0 and value.value:
            found.add(name)
    return frozenset(found)
