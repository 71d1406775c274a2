"""A machine that was measured for a day: waves that depend on the time alone, so every page sees the same."""

from __future__ import annotations

import math
from array import array

from llamero.models.llama import ServerPhase
from llamero.models.metrics import (
    GpuMetrics,
    HardwareMetrics,
    MetricsSnapshot,
    ProcessMetrics,
    ServerActivity,
    ServerMetrics,
)
from llamero.models.metrics_history import PEAK, Generation, HistoryRange, HistoryTable, MetricsHistory
from llamero.services.history.answers import Asked, history
from llamero.services.history.downsampling import has_peaks
from llamero.services.history.service import FINE_S, FINE_SPAN_S, TIERS
from llamero.services.history.tables import append, empty
from llamero.services.history.values import values_of

GB = 1024**3
CORES = 8
# Of each period the models answer for so long.
PERIOD_S, ANSWERING_S = 90.0, 35.0
# The machine was asleep between these shares of the range ago.
ASLEEP = (0.42, 0.5)


def measured(at: float, gpus: tuple[GpuMetrics, ...], aliases: tuple[str, ...]) -> MetricsSnapshot:
    """The machine at a time. GPUs keep their names, and lack what they lack."""
    answering = bool(aliases) and at % PERIOD_S < ANSWERING_S
    wave = 0.5 + 0.5 * math.sin(at / 7) * math.cos(at / 31)
    load = (62 if answering else 9) + 14 * wave
    hardware = HardwareMetrics(
        at=at,
        monotonic=at,
        cpu=load,
        cpu_cores=tuple([min(100.0, load * (0.6 + 0.1 * core)) for core in range(CORES)]),
        ram_used=int((7.2 + 1.5 * wave) * GB),
        ram_total=int(15.6 * GB),
        gpus=tuple([_gpu(gpu, answering, wave) for gpu in gpus]),
        gpu_note=None if gpus else "No GPU was found. Models run on the processor.",
    )
    servers = tuple([_server(alias, place, at, answering, wave) for place, alias in enumerate(aliases)])
    return MetricsSnapshot(
        hardware=hardware, servers=servers, running=sum(server.leases for server in servers), waiting=int(3 * wave) // 2
    )


def _peak(value: float) -> float:
    """A little above the mean, and no percentage above all."""
    return min(100.0, value + 6) if 5 < value <= 100 else value * 1.08


def _gpu(gpu: GpuMetrics, answering: bool, wave: float) -> GpuMetrics:
    return GpuMetrics(
        index=gpu.index,
        name=gpu.name,
        source=gpu.source,
        utilization=None if gpu.utilization is None else (88 if answering else 3) + 8 * wave,
        memory_used=None if gpu.memory_used is None else int((gpu.memory_total or GB) * (0.6 + 0.1 * wave)),
        memory_total=gpu.memory_total,
        temperature_c=None if gpu.temperature_c is None else (64 if answering else 45) + 6 * wave,
        power_w=None if gpu.power_w is None else (180 if answering else 28) + 20 * wave,
    )


def _server(alias: str, place: int, at: float, answering: bool, wave: float) -> ServerMetrics:
    begins = at % PERIOD_S < 1
    return ServerMetrics(
        alias=alias,
        phase=ServerPhase.READY,
        leases=int(answering),
        waiting=int(2 * wave) if answering else 0,
        slots=4,
        slots_busy=1 + int(2 * wave) if answering else 0,
        context_tokens=1500 + int(at % 900),
        context_limit=4096,
        pid=4242 + place,
        uptime_s=5400.0,
        process=ProcessMetrics(
            pid=4242 + place, cpu=190.0 if answering else 1.0, rss=int((2.6 + 0.2 * wave) * GB), gpu_memory=6 * GB
        ),
        activity=ServerActivity(
            generation_speed=(42 - 12 * place) + 5 * wave if answering else 0.0,
            prompt_speed=800 + 300 * wave - 200 * place if begins else None,
            first_token_s=0.3 + 0.4 * wave + 0.2 * place if begins else None,
            context_tokens=1500 + int(at % 900),
        ),
    )


def past(
    wanted: HistoryRange,
    now: float,
    gpus: tuple[GpuMetrics, ...],
    aliases: tuple[str, ...],
    *,
    after: float | None = None,
    cores: bool = False,
    measured_for_s: float = 86400.0,
) -> MetricsHistory:
    """What `get_metrics_history` tells of it."""
    tier = TIERS.get(wanted)
    span_s, step_s = (FINE_SPAN_S, FINE_S) if tier is None else (tier.span_s, float(tier.resolution_s))
    table = empty()
    begin = max(now - min(span_s, measured_for_s), after or 0.0)
    at = (begin // step_s + 1) * step_s
    while at <= now:
        if not ASLEEP[0] < (now - at) / span_s < ASLEEP[1]:
            # A day has as many waves as five minutes, or nobody could tell them apart.
            values = values_of(measured(at / step_s, gpus, aliases))
            if tier is not None:
                values |= {name + PEAK: _peak(value) for name, value in values.items() if has_peaks(name)}
            append(table, at, values)
        at += step_s
    generations: list[Generation] = []
    start = now - min(span_s, measured_for_s)
    while aliases and start < now:
        base = start - start % (PERIOD_S * step_s)
        generations.append(Generation(alias=aliases[0], start=base, end=min(now, base + ANSWERING_S * step_s)))
        start = base + PERIOD_S * step_s
    asked = Asked(
        range=wanted,
        resolution_s=step_s,
        start=now - span_s,
        end=now,
        after=after,
        longest_gap_s=max(5.0, 2.5 * step_s),
        tables=(HistoryTable(array("d", table.times), table.columns),),
        generations=tuple(generations),
    )
    return history(asked, cores=cores)
