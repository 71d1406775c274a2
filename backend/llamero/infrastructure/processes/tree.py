"""All processes of one child, or of a whole run, and how they are ended.

A process belongs to the tree when it is a known member, a descendant of one, in the session that the child leads, or
carries the mark in its environment. The mark finds what forked twice into a session of its own; descent and session
find what forgot its environment. Members once seen are remembered, so that one whose parent ends later is not lost.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterable
from typing import NamedTuple

from llamero.infrastructure.processes import table
from llamero.infrastructure.processes.table import Entry, Key

if sys.platform == "win32":
    KILL = signal.SIGTERM  # ends a process there like SIGKILL elsewhere
else:
    KILL = signal.SIGKILL
CLEAN_SCANS = 2  # a process that forked and ended while the table was read can hide from one scan, hardly from two
STRANGER_S = 0.25  # ids are given out in a circle: for that long, one that is taken is not given to somebody else
UNDECIDED_S = 0.05  # how long an exec may take to show its environment; some programs have none for ever


class Outcome(NamedTuple):
    """What `destroy` did: who was killed, and who is still there."""

    killed: frozenset[Key]
    survivors: frozenset[Key]


class ProcessTree:
    """The processes that belong together. Not thread-safe: give each thread that scans its turn."""

    def __init__(self, roots: Iterable[Key], mark: str, *, whole_run: bool = False) -> None:
        """`mark` is the one child's; with `whole_run` it is the run's, with which its children's marks begin."""
        self._roots = {key.pid: key for key in roots}
        self._known = set(self._roots.values())
        self._oldest = 0 if whole_run else min((key.started for key in self._known), default=0)
        self._mark = mark
        self._prefix = f"{mark}:" if whole_run else None
        self._unclear: set[int] = set()
        self._strangers: set[int] = set()
        self._strangers_since = 0.0

    def alive(self) -> list[Entry]:
        """Scan the system and list the members that run. Zombies do not count: there is nothing left to end."""
        entries = table.processes(without=self._known_strangers())
        leaders = {entry.pid: entry for entry in entries if entry.pid in self._roots}
        running = [entry for entry in entries if not entry.zombie and entry.pid not in (1, os.getpid())]
        self._unclear.clear()
        members = {entry.pid: entry for entry in running if self._is_member(entry, leaders)}
        grown = bool(members)
        while grown:
            grown = False
            for entry in running:
                parent = members.get(entry.parent)
                if parent is not None and entry.pid not in members and entry.started >= parent.started:
                    members[entry.pid] = entry
                    grown = True
        self._known.update(entry.key for entry in members.values())
        self._strangers.update(
            entry.pid for entry in running if entry.pid not in members and entry.pid not in self._unclear
        )
        return list(members.values())

    def _known_strangers(self) -> set[int]:
        """The ids that were looked at a moment ago and are not ours. A process does not come to be ours later."""
        now = time.monotonic()
        if now - self._strangers_since > STRANGER_S:
            self._strangers.clear()
            self._strangers_since = now
        return self._strangers

    def _is_member(self, entry: Entry, leaders: dict[int, Entry]) -> bool:
        if entry.key in self._known:
            return True
        root = self._roots.get(entry.session)
        if root is not None and entry.started >= root.started:
            # The session's number is free for reuse only when leader and members are gone.
            leader = leaders.get(root.pid)
            if leader is None or leader.started == root.started:
                return True
        if entry.started < self._oldest:
            return False
        mark = table.mark_of(entry)
        if mark is None:
            self._unclear.add(entry.pid)
            return False
        return mark == self._mark if self._prefix is None else mark.startswith(self._prefix)

    def signal_all(self, number: int) -> set[Key]:
        """Scan once and signal every member."""
        return {entry.key for entry in self.alive() if table.send_signal(entry.key, number)}

    def destroy(self, timeout_s: float, *, settle_s: float = 0.0) -> Outcome:
        """Kill every member, scanning again until none is left, for at most `timeout_s` seconds.

        `settle_s`: go on scanning at least that long, for processes that are only just being made.
        """
        began = time.monotonic()
        killed: set[Key] = set()
        clean, pause = 0, 0.001
        while True:
            found = self.alive()
            elapsed = time.monotonic() - began
            for entry in found:
                table.send_signal(entry.key, KILL)
                killed.add(entry.key)
            if elapsed > timeout_s:
                return Outcome(frozenset(killed), frozenset(entry.key for entry in found))
            if found:
                clean = 0
            elif not self._unclear or elapsed > UNDECIDED_S:
                clean += 1
                if clean >= CLEAN_SCANS and elapsed >= settle_s:
                    return Outcome(frozenset(killed), frozenset())
                if elapsed >= settle_s:
                    continue
            time.sleep(pause)
            pause = min(pause * 2, 0.02)
