"""On which event loops the tests run: asyncio's, and what is close to the sockets on the app's own, too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from llamero.infrastructure.event_loop import new_event_loop

ON_BOTH_LOOPS = {"test_upstream"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """libuv's loop and asyncio's break connections off differently."""
    plain = {"asyncio": asyncio.new_event_loop}
    return plain | {"app": new_event_loop} if item.path.stem in ON_BOTH_LOOPS else plain
