"""What a process and everything it started costs: CPU, memory, number of processes.

Invariants: processes that vanish or may not be read are left out, never an error; a process is the same one only with
the same start time, so a reused number does not inherit readings; CPU comes from the CPU time between two samples, and
the first sample has none. Walking the machine's process table is the one expensive step (25 microseconds a process), so
a tree is walked often while it is new, then every half minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
import psutil

from llamero.infrastructure.clock import Clock
from llamero.models.metrics import ProcessMetrics

WALK_AT_LEAST_EVERY_S = 30.0
WALK_AT_MOST_EVERY_S = 1.0
# CPU time is counted in steps of 10 ms: over a shorter time the difference says nothing.
SHORTEST_DIFFERENCE_S = 0.1
FORGET_AFTER_S = 300.0

# What the walk and the readings of another user's or a dying process may raise.
UNREADABLE = (psutil.Error, OSError)


class _Tree(msgspec.Struct):
    """One root as last seen. `cpu_times` are the CPU seconds of each member at `measured_at`."""

    first_seen: float
    walked_at: float
    members: list[psutil.Process]
    measured_at: float | None = None
    cpu_times: dict[psutil.Process, float] = msgspec.field(default_factory=dict)
    cpu: float | None = None
    asked_at: float = 0.0


class ProcessSampler:
    """Measures process trees by the id of their root. Not for use from two threads at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._trees: dict[int, _Tree] = {}

    def sample(self, pids: Iterable[int], gpu_memory: Callable[[], dict[int, int]]) -> dict[int, ProcessMetrics]:
        """Measure each tree; a root that is gone with all its children is missing from the answer.

        `gpu_memory` gives GPU memory by process id; it is asked once, and only if there is a process to ask for.
        """
        now = self._clock.monotonic()
        found = {pid: measured for pid in dict.fromkeys(pids) if (measured := self._measure(pid, now)) is not None}
        self._trees = {pid: tree for pid, tree in self._trees.items() if now - tree.asked_at < FORGET_AFTER_S}
        by_pid = gpu_memory() if found else {}
        if not by_pid:
            return found
        return {pid: self._with_gpu_memory(measured, by_pid) for pid, measured in found.items()}

    def _measure(self, pid: int, now: float) -> ProcessMetrics | None:
        tree = self._tree(pid, now)
        if tree is None:
            return None
        cpu_times: dict[psutil.Process, float] = {}
        resident: list[int] = []
        for process in tree.members:
            try:
                if not process.is_running():
                    continue
                with process.oneshot():
                    times, memory = process.cpu_times(), process.memory_info()
            except UNREADABLE:
                continue
            cpu_times[process] = times.user + times.system
            resident.append(memory.rss)
        tree.members = list(cpu_times)
        if not cpu_times:
            self._trees.pop(pid, None)
            return None
        self._account(tree, cpu_times, now)
        return ProcessMetrics(pid=pid, cpu=tree.cpu, rss=sum(resident), processes=len(resident))

    def _tree(self, pid: int, now: float) -> _Tree | None:
        """The tree with the members it had at its last walk; walks again when that was long ago for its age."""
        tree = self._trees.get(pid)
        if tree is not None and (tree.members[0].pid != pid or not tree.members[0].is_running()):
            # The root is gone. Its number may be another process by now, which is another tree.
            orphans = [member for member in tree.members if member.pid != pid]
            if psutil.pid_exists(pid) or not orphans:
                tree = None
        if tree is None:
            members = _walk(pid)
            if not members:
                self._trees.pop(pid, None)
                return None
            tree = self._trees[pid] = _Tree(first_seen=now, walked_at=now, members=members)
        else:
            patience = min(WALK_AT_LEAST_EVERY_S, max(WALK_AT_MOST_EVERY_S, tree.walked_at - tree.first_seen))
            if now - tree.walked_at >= patience:
                tree.members = _walk(pid) or tree.members
                tree.walked_at = now
        tree.asked_at = now
        return tree

    def _account(self, tree: _Tree, cpu_times: dict[psutil.Process, float], now: float) -> None:
        """Set the tree's CPU from what its members used since the last sample; a member first seen now counts 0."""
        if tree.measured_at is not None:
            elapsed = now - tree.measured_at
            if elapsed < SHORTEST_DIFFERENCE_S:
                return
            used = sum(max(0.0, seconds - tree.cpu_times.get(member, seconds)) for member, seconds in cpu_times.items())
            tree.cpu = 100.0 * used / elapsed
        tree.measured_at = now
        tree.cpu_times = cpu_times

    def _with_gpu_memory(self, measured: ProcessMetrics, by_pid: dict[int, int]) -> ProcessMetrics:
        """Add the GPU memory of the tree, which stays unknown if none of its processes is on the driver's list."""
        known = [by_pid[member.pid] for member in self._trees[measured.pid].members if member.pid in by_pid]
        return msgspec.structs.replace(measured, gpu_memory=sum(known)) if known else measured


def _walk(pid: int) -> list[psutil.Process]:
    """The root and everything below it; empty if the root is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except UNREADABLE:
        return []
