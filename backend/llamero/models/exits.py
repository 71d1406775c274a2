"""Why an engine ended, as far as its exit status and its last lines tell."""

from __future__ import annotations

import msgspec


class ExitReason(msgspec.Struct, frozen=True):
    """`code` and `arguments` name a message `exit-…` in `locale/`: one sentence with what to do."""

    code: str
    arguments: dict[str, str | int] = {}
