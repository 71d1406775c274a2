"""Every command, one module for each area."""

from __future__ import annotations

from llamero.bridge.commands import (
    aliases,
    api_keys,
    attachments,
    bench,
    chats,
    control,
    logs,
    metrics,
    models,
    requests,
    servers,
    settings,
    system,
    updates,
)
from llamero.bridge.registry import Registry

MODULES = (
    aliases,
    api_keys,
    attachments,
    bench,
    chats,
    logs,
    metrics,
    models,
    requests,
    servers,
    settings,
    system,
    updates,
)


def control_commands() -> Registry:
    """The registry of what the command line can call."""
    return Registry((control,))


def all_commands() -> Registry:
    """The registry of everything that a page can call."""
    return Registry(MODULES)
