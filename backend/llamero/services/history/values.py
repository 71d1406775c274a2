"""What of a sample is kept, by name. A reading that is missing is left out, never 0."""

from __future__ import annotations

from llamero.models.metrics import GpuMetrics, HardwareMetrics, MetricsSnapshot, ServerMetrics


def values_of(snapshot: MetricsSnapshot) -> dict[str, float]:
    """Name everything that is known in a sample; see `QUANTITIES` for units."""
    values: dict[str, float | None] = {
        "requests.running": snapshot.running,
        "requests.waiting": snapshot.waiting,
    }
    _add_hardware(values, snapshot.hardware)
    for server in snapshot.servers:
        _add_server(values, server)
    return {name: float(value) for name, value in values.items() if value is not None}


def _add_hardware(values: dict[str, float | None], hardware: HardwareMetrics) -> None:
    values["cpu.load"] = hardware.cpu
    values["ram.used"] = hardware.ram_used
    for number, load in enumerate(hardware.cpu_cores):
        values[f"cpu.core/{number}"] = load
    for place, gpu in enumerate(hardware.gpus):
        _add_gpu(values, place, gpu)


def _add_gpu(values: dict[str, float | None], place: int, gpu: GpuMetrics) -> None:
    """By its place in the list: NVIDIA's and AMD's GPUs are numbered from 0 each."""
    values[f"gpu.load/{place}"] = gpu.utilization
    values[f"gpu.memory/{place}"] = gpu.memory_used
    values[f"gpu.temperature/{place}"] = gpu.temperature_c
    values[f"gpu.power/{place}"] = gpu.power_w


def _add_server(values: dict[str, float | None], server: ServerMetrics) -> None:
    alias, process, activity = server.alias, server.process, server.activity
    if process is not None:
        values[f"server.cpu/{alias}"] = process.cpu
        values[f"server.memory/{alias}"] = process.rss
        values[f"server.gpu_memory/{alias}"] = process.gpu_memory
    values[f"server.requests/{alias}"] = server.leases
    values[f"server.waiting/{alias}"] = server.waiting
    values[f"server.slots/{alias}"] = server.slots_busy
    values[f"server.slot_limit/{alias}"] = server.slots
    values[f"server.generation_speed/{alias}"] = activity.generation_speed
    values[f"server.prompt_speed/{alias}"] = activity.prompt_speed
    values[f"server.first_token/{alias}"] = activity.first_token_s
    values[f"server.context/{alias}"] = server.context_tokens
    values[f"server.context_limit/{alias}"] = server.context_limit
