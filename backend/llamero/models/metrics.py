"""Hardware readings: memory in bytes, load in percent, power in W. A missing or failed sensor is None, never 0."""

from __future__ import annotations

import msgspec

from llamero.models.llama import ServerPhase


class GpuMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU. `source` says who was asked: nvml, nvidia-smi or amd-sysfs."""

    index: int
    name: str
    source: str
    utilization: float | None = None
    memory_used: int | None = None
    memory_total: int | None = None
    temperature_c: float | None = None
    power_w: float | None = None
    uuid: str | None = None


class ProcessMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One process tree: CPU in percent of one core, resident and GPU memory."""

    pid: int
    cpu: float | None = None
    rss: int | None = None
    gpu_memory: int | None = None
    processes: int = 1


class HardwareMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """One sample. `at` is wall-clock seconds since the epoch, `monotonic` orders samples across clock changes."""

    at: float
    monotonic: float
    cpu: float | None = None
    cpu_cores: tuple[float, ...] = ()
    ram_used: int | None = None
    ram_total: int | None = None
    gpus: tuple[GpuMetrics, ...] = ()
    gpu_note: str | None = None


class ServerActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What one model did since the sample before, as its own answers tell. Speeds are in tokens per second.

    `generation_speed` is 0 while nothing is generated. Others are None in a sample in which nothing became known:
    `prompt_speed` when no answer ended, `first_token_s` (waiting and loading included) when none began.
    `context_tokens` is what the last answer that ended took of the context, its prompt included.
    """

    generation_speed: float = 0.0
    prompt_speed: float | None = None
    first_token_s: float | None = None
    context_tokens: int | None = None


class SlotUse(msgspec.Struct, frozen=True, kw_only=True):
    """What a server's slots do, as it says itself: how many answer, and what these hold of the context.

    That is in tokens: of the `fullest`, and of `all` together.
    """

    busy: int
    fullest: int | None = None
    all: int | None = None


class ServerMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What one running server costs and does.

    `context_tokens` is what is held of the context, or else what the last answer took, and `context_limit` how much
    that may be. Where slots have a share each that is said of the fullest, and where they have one in common, of all
    together: of what ends answers when there is no more.
    """

    alias: str
    phase: ServerPhase
    leases: int
    waiting: int = 0
    slots: int | None = None
    slots_busy: int | None = None
    context_tokens: int | None = None
    context_limit: int | None = None
    pid: int | None = None
    uptime_s: float | None = None
    process: ProcessMetrics | None = None
    activity: ServerActivity = ServerActivity()


class MetricsSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """CPU, RAM, GPU and VRAM, every running server, and the requests that run and wait."""

    hardware: HardwareMetrics
    servers: tuple[ServerMetrics, ...] = ()
    running: int = 0
    waiting: int = 0
