"""What running servers cost and do, put together from what was measured and what the actor says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from llamero.models.llama import ActorSnapshot, ServerPhase, ServerSnapshot
from llamero.models.metrics import (
    HardwareMetrics,
    MetricsSnapshot,
    ProcessMetrics,
    ServerActivity,
    ServerMetrics,
    SlotUse,
)

WITHOUT_PROCESS = frozenset({ServerPhase.STOPPED, ServerPhase.FAILED})


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of the servers at one time: processes by their id, the others by the alias of their model."""

    processes: Mapping[int, ProcessMetrics] = {}
    activities: Mapping[str, ServerActivity] = {}
    slots: Mapping[str, SlotUse] = {}


def servers_with_process(servers: Sequence[ServerSnapshot]) -> list[ServerSnapshot]:
    """Those that have a process, or are about to."""
    return [server for server in servers if server.phase not in WITHOUT_PROCESS]


def process_ids(servers: Sequence[ServerSnapshot]) -> tuple[int, ...]:
    """The processes of servers that have one."""
    return tuple([server.pid for server in servers_with_process(servers) if server.pid is not None])


def whole_snapshot(
    hardware: HardwareMetrics, servers: Sequence[ServerSnapshot], state: ActorSnapshot, readings: Readings, now: float
) -> MetricsSnapshot:
    """A sample with every server that has a process; `now` is monotonic as in `ServerSnapshot.since`."""
    return MetricsSnapshot(
        hardware=hardware,
        servers=tuple(
            [
                server_metrics(server, state.queue.get(server.model.alias, 0), readings, now)
                for server in servers_with_process(servers)
            ]
        ),
        running=sum(server.leases for server in servers),
        waiting=state.waiting,
    )


def server_metrics(server: ServerSnapshot, waiting: int, readings: Readings, now: float) -> ServerMetrics:
    """One server; it is up since it became ready, and the time in any other phase is not counted."""
    alias = server.model.alias
    activity = readings.activities.get(alias, ServerActivity())
    # What was read while it answered is of the past once it does not.
    use = readings.slots.get(alias) if server.leases else None
    return ServerMetrics(
        alias=alias,
        phase=server.phase,
        leases=server.leases,
        waiting=waiting,
        slots=server.limits.slots,
        slots_busy=_busy(server) if use is None else use.busy,
        context_tokens=_held(server, use) or activity.context_tokens,
        context_limit=server.limits.context,
        pid=server.pid,
        uptime_s=max(0.0, now - server.since) if server.phase is ServerPhase.READY else None,
        process=readings.processes.get(server.pid) if server.pid is not None else None,
        activity=activity,
    )


def _held(server: ServerSnapshot, use: SlotUse | None) -> int | None:
    if use is None:
        return None
    return use.all if server.limits.is_shared else use.fullest


def _busy(server: ServerSnapshot) -> int | None:
    """By what we know ourselves: every request has a slot, until there are no more."""
    return None if server.limits.slots is None else min(server.leases, server.limits.slots)
