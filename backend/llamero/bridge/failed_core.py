"""What the page hears where the core could not start: why, so that a window that was opened from a menu can say it.

As everywhere, only who has a token of this launch is told.
"""

from __future__ import annotations

from typing import NoReturn

from aiohttp import web

from llamero.bridge.front import CoreRoutes
from llamero.bridge.tokens import Tokens
from llamero.models.errors import Conflict


def failed_core(tokens: Tokens, sentence: str) -> CoreRoutes:
    """Return what answers in the core's place. `sentence` says what happened and what to do."""

    async def refuse_socket(request: web.Request) -> NoReturn:
        tokens.of_socket(request.headers)
        raise Conflict("bridge_error-not_started", reason=sentence)

    async def refuse(request: web.Request) -> NoReturn:
        tokens.of_request(request.headers)
        raise Conflict("bridge_error-not_started", reason=sentence)

    async def close() -> None:
        """There is nothing to end."""

    return CoreRoutes(
        events=refuse_socket, command=refuse, put_blob=refuse, get_blob=refuse, close=close, clean_up=lambda: None
    )
