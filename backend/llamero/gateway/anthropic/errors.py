"""Errors in Anthropic's shape: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

The types are those of the Messages API (`anthropic.types.shared`); `code` and `param` are ours besides. The status
stays what it is: clients repeat a 503 as they would Anthropic's own 529.
"""

from __future__ import annotations

import logging
import secrets

from aiohttp import web

from llamero.gateway.anthropic.response import event
from llamero.gateway.errors import error_headers
from llamero.gateway.surface import json_response
from llamero.http.errors import ErrorText, public_text
from llamero.models.errors import LlameroError

logger = logging.getLogger(__name__)

REQUEST_ID = "request-id"

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def new_request_id() -> str:
    """A name for one request, as clients show it."""
    return f"req_{secrets.token_hex(12)}"


class AnthropicErrors:
    """Renders errors; `messages` is the catalogue: it returns the text for a person."""

    def __init__(self, messages: ErrorText) -> None:
        self._messages = messages

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        if error.status >= 500:
            logger.warning("answered %d: %s", error.status, error)
        request_id = new_request_id()
        headers = {REQUEST_ID: request_id, **error_headers(error)}
        document = {"type": "error", **self._fields(error), "request_id": request_id}
        return json_response(document, error.status, headers)

    def event(self, error: LlameroError) -> bytes:
        """Tell an error in a stream that has begun; it is the last event."""
        logger.warning("a stream ended early: %s", error)
        return event("error", self._fields(error))

    def _fields(self, error: LlameroError) -> dict[str, object]:
        kind = _TYPES.get(error.status, "invalid_request_error" if error.status < 500 else "api_error")
        told: dict[str, object] = {"type": kind, "message": public_text(self._messages, error)}
        told["code"] = error.public_code or error.code
        if error.param is not None:
            told["param"] = error.param
        return {"error": told}
