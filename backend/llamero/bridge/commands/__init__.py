"""Every command, one module for each area."""

from __future__ import annotations

from llamero.bridge.commands import chats, models, system
from llamero.bridge.registry import Registry

MODULES = (chats, models, system)


def all_commands() -> Registry:
    """The registry of everything that a page can call."""
    return Registry(MODULES)
