"""Tells errors to the page: `{"code", "message", "data"}`, here and nowhere else.

`data` has what the page can act on: the parameter at fault, seconds until trying again makes sense, an engine's last
lines. The page is the user's own, so below 500 a path is told whole; a crash is told by its incident number alone.
"""

from __future__ import annotations

import logging
import math

import msgspec
from aiohttp import web

from llamero.http.errors import ErrorText, public_text, with_param
from llamero.models.errors import EngineFailed, LlameroError, Unavailable

logger = logging.getLogger(__name__)


class BridgeErrors:
    """Renders errors; `messages` is the catalogue: it returns the text for a person."""

    def __init__(self, messages: ErrorText) -> None:
        self._messages = messages

    def text(self, error: LlameroError) -> str:
        """Return the sentence for a person."""
        return public_text(self._messages, error) if error.status >= 500 else self._messages(with_param(error))

    def document(self, error: LlameroError) -> dict[str, object]:
        """Return the body for an error."""
        data: dict[str, object] = {
            "reason": error.code,
            "param": error.param,
            "retry_after": error.retry_after,
        }
        if isinstance(error, EngineFailed):
            data |= {"exit_status": error.exit_status, "log_tail": error.log_tail}
        return {"code": error.public_code or error.code, "message": self.text(error), "data": data}

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        if error.status >= 500:
            # To have to wait is no fault: a page that asks while the app closes should not be on the terminal.
            level = logging.INFO if isinstance(error, Unavailable) else logging.WARNING
            logger.log(level, "answered %d: %s", error.status, error)
        body = msgspec.json.encode(self.document(error))
        response = web.Response(status=error.status, body=body, content_type="application/json")
        response.headers["Cache-Control"] = "no-store"
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        return response
