"""What running servers cost and do, put together from what was measured and what the actor says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llamero.models.llama import ServerPhase, ServerSnapshot
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot, ProcessMetrics, ServerActivity, ServerMetrics

WITHOUT_PROCESS = frozenset({ServerPhase.STOPPED, ServerPhase.FAILED})


def servers_with_process(servers: Sequence[ServerSnapshot]) -> list[ServerSnapshot]:
    """Those that have a process, or are about to."""
    return [server for server in servers if server.phase not in WITHOUT_PROCESS]


def process_ids(servers: Sequence[ServerSnapshot]) -> tuple[int, ...]:
    """The processes of servers that have one."""
    return tuple([server.pid for server in servers_with_process(servers) if server.pid is not None])


def whole_snapshot(
    hardware: HardwareMetrics,
    servers: Sequence[ServerSnapshot],
    waiting: int,
    processes: Mapping[int, ProcessMetrics],
    activities: Mapping[str, ServerActivity],
    now: float,
) -> MetricsSnapshot:
    """A sample with every server that has a process; `now` is monotonic as in `ServerSnapshot.since`."""
    return MetricsSnapshot(
        hardware=hardware,
        servers=tuple(
            [_server_metrics(server, processes, activities, now) for server in servers_with_process(servers)]
        ),
        running=sum(server.leases for server in servers),
        waiting=waiting,
    )


def _server_metrics(
    server: ServerSnapshot,
    processes: Mapping[int, ProcessMetrics],
    activities: Mapping[str, ServerActivity],
    now: float,
) -> ServerMetrics:
    """One server; it is up since it became ready, and the time in any other phase is not counted."""
    return ServerMetrics(
        alias=server.model.alias,
        phase=server.phase,
        leases=server.leases,
        pid=server.pid,
        uptime_s=max(0.0, now - server.since) if server.phase is ServerPhase.READY else None,
        process=processes.get(server.pid) if server.pid is not None else None,
        activity=activities.get(server.model.alias, ServerActivity()),
    )
