"""Machines that share a model (llama.cpp's `--rpc host:port,…`): do they answer before an engine is started with them?

An engine that cannot reach one of them loads for a while and then ends with a line in its log; a connection attempt
says so at once, and names the one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Sequence
from itertools import pairwise

from llamero.models.errors import WorkerUnreachable

FLAG = "--rpc"
PATIENCE_S = 1.0


def workers_of(arguments: Sequence[str]) -> tuple[str, ...]:
    """The `host:port` of every worker that is named in the argv tokens of a server."""
    lists = [value for flag, value in pairwise(arguments) if flag == FLAG]
    return tuple([worker for one in lists for worker in one.split(",") if worker])


async def check_workers(arguments: Sequence[str], patience_s: float = PATIENCE_S) -> None:
    """Connect to all workers at once. Raises WorkerUnreachable for the first that does not answer in time."""
    workers = workers_of(arguments)
    problems = await asyncio.gather(*(_problem(worker, patience_s) for worker in workers))
    for worker, problem in zip(workers, problems, strict=True):
        if problem is not None:
            raise WorkerUnreachable(worker=worker, reason=problem)


async def _problem(worker: str, patience_s: float) -> str | None:
    """Why a worker cannot be used; None when it can."""
    host, _, port = worker.rpartition(":")
    try:
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
    except TimeoutError:
        return f"no answer within {patience_s:g} s"
    except (OSError, ValueError, OverflowError) as error:
        number = getattr(error, "errno", None)
        return os.strerror(number) if number else str(error) or type(error).__name__
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return None
