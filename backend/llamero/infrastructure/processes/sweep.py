"""Ends, at start, what an earlier run left behind, and nothing else.

A process is ended only when it is proven to be ours: its mark names the earlier run, whose app is gone. A process id
that was written down is not proof: ids are reused, so the start time and the mark must be those that were written.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path

from llamero.infrastructure.processes import table
from llamero.infrastructure.processes.records import RunRecord, read_records
from llamero.infrastructure.processes.table import Key
from llamero.infrastructure.processes.tree import ProcessTree
from llamero.models.processes import SweepReport

logger = logging.getLogger(__name__)

TIMEOUT_S = 5.0


def sweep(directory: Path) -> SweepReport:
    """End the leftovers of every run recorded in `directory` whose app is gone. Blocks for at most 5 s per run."""
    killed: list[int] = []
    unverified: list[int] = []
    for path, record in read_records(directory):
        if table.is_alive(record.app):
            continue  # another Llamero with the same data directory
        proven, doubtful = _judge(record)
        outcome = ProcessTree(proven, record.run, whole_run=True).destroy(TIMEOUT_S)
        killed += sorted(key.pid for key in outcome.killed)
        unverified += doubtful
        if not outcome.survivors:
            with contextlib.suppress(OSError):
                path.unlink()
    if killed:
        logger.warning("ended processes that an earlier run left behind: %s", killed)
    if unverified:
        logger.warning("left alone, because nothing proves them to be engines of an earlier run: %s", unverified)
    return SweepReport(killed=tuple(killed), unverified=tuple(unverified))


def _judge(record: RunRecord) -> tuple[list[Key], list[int]]:
    """Tell the recorded children that are proven to be alive from those whose proof is missing."""
    proven, doubtful = [], []
    for child in record.children:
        entry = table.lookup(child.pid)
        if entry is None or entry.zombie or entry.started != child.started:
            continue  # gone; whoever has the id now is none of our business
        if child.mark.startswith(f"{record.run}:") and table.mark_of(entry) == child.mark:
            proven.append(entry.key)
        else:
            doubtful.append(child.pid)
    return proven, doubtful
