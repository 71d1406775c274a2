"""What is told on the desktop to somebody who does not see the window."""

from __future__ import annotations

import msgspec


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """`title` may hold a person's own words; `body` is a sentence of ours, and `action` what a click does."""

    title: str
    body: str
    action: str
