"""What looking at a real NVIDIA GPU costs, and how far what is read by NVML is from what `nvidia-smi` says.

Elsewhere there are no figures: what is measured with the fake NVML is in `metrics.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.nvidia_smi import NvidiaSmiReader, find_nvidia_smi
from llamero.infrastructure.nvml import NvmlReader
from tests.bench.measures import Figure, at_most
from tests.bench.metrics import sample_costs

# Both look at a machine that goes on working, some tens of milliseconds apart.
MEMORY_APART_MB, DEGREES_APART, WATTS_APART = 512, 3, 60


def nvidia() -> Iterator[Figure]:
    """A sample with all sensors by its CPU, and every GPU as both readers see it."""
    if find_nvidia_smi() is None:
        return
    costs = sample_costs({})
    yield at_most("nvidia: one sample, CPU p95", costs[94], 3, "ms")
    clock = SystemClock()
    ours, theirs = NvmlReader(clock).read(), NvidiaSmiReader(clock).read()
    yield at_most(
        "nvidia: GPUs that only one of both sees", len({g.uuid for g in ours} ^ {g.uuid for g in theirs}), 0, ""
    )
    by_uuid = {gpu.uuid: gpu for gpu in theirs}
    for gpu in ours:
        other = by_uuid.get(gpu.uuid)
        if other is None:
            continue
        name = f"nvidia: GPU {gpu.index}"
        if gpu.memory_used is not None and other.memory_used is not None:
            yield at_most(
                f"{name}, memory apart", abs(gpu.memory_used - other.memory_used) / 1e6, MEMORY_APART_MB, "MB"
            )
        if gpu.temperature_c is not None and other.temperature_c is not None:
            yield at_most(
                f"{name}, temperature apart", abs(gpu.temperature_c - other.temperature_c), DEGREES_APART, "°C"
            )
        if gpu.power_w is not None and other.power_w is not None:
            yield at_most(f"{name}, power apart", abs(gpu.power_w - other.power_w), WATTS_APART, "W")
