"""What is reported about child processes that were ended."""

from __future__ import annotations

import msgspec


class StopReport(msgspec.Struct, frozen=True, kw_only=True):
    """How a child and its descendants ended.

    `exit_status` is as in `subprocess` (negative: the signal's number), None when it could not be learned. `forced`:
    the child was killed because its grace ran out. `descendants` counts processes of its tree that had to be killed.
    `survivors` are process ids that even SIGKILL did not end within the limit: processes stuck in the kernel.
    """

    exit_status: int | None
    forced: bool = False
    descendants: int = 0
    survivors: tuple[int, ...] = ()


class SweepReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier run left behind: process ids that were `killed`, and those that could not be verified as ours."""

    killed: tuple[int, ...] = ()
    unverified: tuple[int, ...] = ()
