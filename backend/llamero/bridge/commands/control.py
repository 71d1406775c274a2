"""Commands of the command line: what runs, stop it, what it wrote. They are called where no page is served."""

from __future__ import annotations

import os

from llamero.bridge.control import ControlContext
from llamero.bridge.registry import command
from llamero.models.control import ReadLog, ReadOutput, RunningServers, ServerStatus, StoppedServers, StopServers
from llamero.models.errors import NotFound
from llamero.models.llama import ServerPhase
from llamero.models.logs import LogLines
from llamero.models.supervision import ServerOutput

_ENDED = frozenset({ServerPhase.STOPPED, ServerPhase.FAILED})


@command("list_servers")
async def list_servers(context: ControlContext) -> RunningServers:
    """Every server, with what it costs."""
    now = context.actor.snapshot
    measured = await context.measure(server.pid for server in now.servers if server.pid is not None)
    described = {info.alias: info for info in context.infos.all()}
    statuses = []
    for server in now.servers:
        alias = server.model.alias
        cost = None if server.pid is None else measured.get(server.pid)
        statuses.append(
            ServerStatus(
                model=alias,
                state=server.phase,
                held=server.held,
                pid=server.pid,
                port=server.port,
                uptime_s=context.clock.monotonic() - server.since if server.phase is ServerPhase.READY else None,
                leases=server.leases,
                waiting=now.queue.get(alias, 0),
                restarts=server.restarts,
                memory=None if cost is None else cost.rss,
                gpu_memory=None if cost is None else cost.gpu_memory,
                reason=described[alias].reason if alias in described else None,
                engine_note=context.infos.engine_note(server.engine),
            )
        )
    return RunningServers(pid=os.getpid(), servers=tuple(statuses))


@command("stop_servers")
async def stop_servers(context: ControlContext, arguments: StopServers) -> StoppedServers:
    """Stop one server or all, and return when the processes are gone. Raises NotFound for one that does not run."""
    running = [server.model.alias for server in context.actor.snapshot.servers if server.phase not in _ENDED]
    if arguments.model is not None:
        _check_known(context, arguments.model)
        running = [arguments.model] if arguments.model in running else []
    await context.engines.stop(arguments.model)
    return StoppedServers(models=tuple(running))


@command("read_output")
async def read_output(context: ControlContext, arguments: ReadOutput) -> ServerOutput:
    """What a server has written since. Raises NotFound for one that does not run."""
    _check_known(context, arguments.model)
    return context.infos.output(arguments.model, arguments.generation, arguments.written)


@command("read_log")
async def read_log(context: ControlContext, arguments: ReadLog) -> LogLines:
    """What the log has since."""
    return context.feed.since(arguments.first, arguments.limit)


def _check_known(context: ControlContext, model: str) -> None:
    if all(server.model.alias != model for server in context.actor.snapshot.servers):
        raise NotFound("control_error-not_running", model=model)
