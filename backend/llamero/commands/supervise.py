"""`llamero ps`, `stop` and `logs`: they ask the Llamero that runs with this data directory, window or not.

stdout gets the table or the lines and nothing else. Where no Llamero runs, nothing runs: `ps` says so and is content,
the others have nothing to act on and leave with 1.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

import msgspec

from llamero.commands.options import Options
from llamero.commands.report import FAILED, say
from llamero.infrastructure.control_client import ControlClient, Refused, Unreachable, find_running
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.paths import find_paths
from llamero.infrastructure.plain_text import one_line
from llamero.models.control import (
    ReadLog,
    ReadOutput,
    RunningServers,
    ServerStatus,
    StoppedServers,
    StopServers,
)
from llamero.models.llama import ServerPhase
from llamero.models.logs import LogLine, LogLines, LogSource
from llamero.models.supervision import ServerOutput

T = TypeVar("T")

FOLLOW_S = 0.2
LARGEST_TAIL = 2000
STOP_S = 120.0
_ENDED = frozenset({ServerPhase.STOPPED, ServerPhase.FAILED})


def ps(options: Options) -> int:
    """Show what runs."""
    return _with_running(options, lambda client: _ps(client, options), when_nobody=lambda: _ps(None, options))


def stop(options: Options) -> int:
    """Stop a model, the only one, or all."""
    return _with_running(options, lambda client: _stop(client, options))


def logs(options: Options) -> int:
    """Show the last lines of an engine or of the log, and those that follow."""
    return _with_running(options, lambda client: _logs(client, options))


def _with_running(
    options: Options, act: Callable[[ControlClient], int], when_nobody: Callable[[], int] | None = None
) -> int:
    paths = find_paths(options.data_dir)
    try:
        client = find_running(paths.run)
        if client is not None:
            return act(client)
    except Refused as refusal:
        say(f"llamero: {one_line(str(refusal))}")
        return FAILED
    except Unreachable:
        say(f"llamero: {_text('control-unreachable', path=str(paths.data_dir))}")
        return FAILED
    if when_nobody is not None:
        return when_nobody()
    say(f"llamero: {_text('control-nobody', path=str(paths.data_dir))}")
    return FAILED


# What runs


def _ps(client: ControlClient | None, options: Options) -> int:
    servers = () if client is None else client.call("list_servers", None, RunningServers).servers
    if options.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(servers)).decode() + "\n")
    elif not servers:
        say(f"llamero: {_text('control-nothing_runs' if client else 'control-nobody_quiet')}")
    else:
        _table(servers)
    return 0


def _table(servers: Sequence[ServerStatus]) -> None:
    columns = ("model", "state", "pid", "uptime", "leases", "waiting", "memory")
    rows = [[_text(f"control-column-{column}") for column in columns], *map(_row, servers)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")
    for server in servers:
        if server.reason and server.state is ServerPhase.FAILED:
            say(f"llamero: {one_line(server.model)}: {one_line(server.reason)}")
        if server.held:
            say(f"llamero: {_text('control-held', model=one_line(server.model))}")
    for note in dict.fromkeys(server.engine_note for server in servers if server.engine_note):
        say(f"llamero: {one_line(note)}")


def _row(server: ServerStatus) -> list[str]:
    return [
        one_line(server.model, 60),
        server.state.value,
        "-" if server.pid is None else str(server.pid),
        _span(server.uptime_s),
        str(server.leases),
        str(server.waiting),
        _size(server.memory),
    ]


def _size(size: int | None) -> str:
    if size is None:
        return "-"
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 / 10 else f"{size / 1024**2:.0f} MB"


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


# Stopping


def _stop(client: ControlClient, options: Options) -> int:
    model = options.name or None
    if model is None and not options.all:
        running = [
            server.model
            for server in client.call("list_servers", None, RunningServers).servers
            if server.state not in _ENDED
        ]
        if len(running) > 1:
            say(f"llamero: {_text('control-which', models=', '.join(map(one_line, running)))}")
            return FAILED
        model = running[0] if running else None
    stopped = client.call("stop_servers", StopServers(model=model), StoppedServers, STOP_S).models
    for name in stopped:
        say(f"llamero: {_text('control-stopped', model=one_line(name))}")
    if not stopped:
        say(f"llamero: {_text('control-nothing_runs')}")
    return 0


# Output


def _logs(client: ControlClient, options: Options) -> int:
    show = _output(client, options) if options.name else _log(client, options)
    show()
    while options.follow:
        sys.stdout.flush()
        time.sleep(FOLLOW_S)
        with suppress(Refused):  # the model was stopped; it may be started again
            show()
    return 0


def _output(client: ControlClient, options: Options) -> Callable[[], None]:
    """What shows the new lines of one engine each time that it is called; the last few at first."""
    seen = ServerOutput(generation=0, written=0, lines=())
    limit: int | None = options.lines

    def show() -> None:
        nonlocal seen, limit
        asked = ReadOutput(model=options.name, generation=seen.generation, written=seen.written)
        seen = client.call("read_output", asked, ServerOutput)
        for line in _last(seen.lines, limit):
            sys.stdout.write(f"{one_line(line)}\n")
        limit = None

    return show


def _log(client: ControlClient, options: Options) -> Callable[[], None]:
    """The same for the log of everything."""
    first = 0
    limit = LARGEST_TAIL if options.lines is None else options.lines

    def show() -> None:
        nonlocal first, limit
        found = client.call("read_log", ReadLog(first=first), LogLines)
        if first and found.first > first:
            sys.stdout.write(f"{_text('control-skipped', count=found.first - first)}\n")
        for line in _last(found.lines, limit):
            sys.stdout.write(f"{_logged(line)}\n")
        first, limit = found.first + len(found.lines), LARGEST_TAIL

    return show


def _last(lines: Sequence[T], limit: int | None) -> Sequence[T]:
    return lines if limit is None else lines[max(0, len(lines) - limit) :]


def _logged(line: LogLine) -> str:
    at = datetime.fromtimestamp(line.at).astimezone().isoformat(timespec="milliseconds")
    name = f"[{line.name}]" if line.source is LogSource.ENGINE else f"{line.name}:"
    return f"{at} {line.level} {name} {line.text}"


def _text(code: str, **arguments: str | int) -> str:
    return default_messages().text(code, arguments)
