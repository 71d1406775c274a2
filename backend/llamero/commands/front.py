"""The page's own server, before there is anything behind the page."""

from __future__ import annotations

from contextlib import AsyncExitStack

from llamero.bridge.front import Front
from llamero.bridge.origin import Origin
from llamero.bridge.pages import find_frontend
from llamero.infrastructure.messages import default_messages


async def open_front(origin: Origin, stack: AsyncExitStack) -> Front:
    """Serve the page at its origin, to be stopped with `stack`. Raises `OSError` where a socket cannot listen."""
    front = Front(origin, frontend=find_frontend(), messages=default_messages().error)
    stack.push_async_callback(front.stop)
    await front.start()
    return front
