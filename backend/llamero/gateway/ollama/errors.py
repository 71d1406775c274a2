"""Errors in Ollama's shape: `{"error": "text"}`, with `code` and `param` of ours besides.

A stream that has begun ends with such an object as its last line; that is where Ollama's clients look for it.
"""

from __future__ import annotations

import logging

import msgspec
from aiohttp import web

from llamero.gateway.errors import error_headers
from llamero.gateway.surface import json_response
from llamero.http.errors import ErrorText, public_text
from llamero.models.errors import LlameroError

logger = logging.getLogger(__name__)


class OllamaErrors:
    """Renders errors; `messages` is the catalogue: it returns the text for a person."""

    def __init__(self, messages: ErrorText) -> None:
        self._messages = messages

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        if error.status >= 500:
            logger.warning("answered %d: %s", error.status, error)
        return json_response(self._fields(error), error.status, error_headers(error))

    def line(self, error: LlameroError) -> bytes:
        """Tell an error in a stream that has begun; it is the last line."""
        logger.warning("a stream ended early: %s", error)
        return msgspec.json.encode(self._fields(error)) + b"\n"

    def _fields(self, error: LlameroError) -> dict[str, object]:
        told: dict[str, object] = {"error": public_text(self._messages, error), "code": error.public_code or error.code}
        if error.param is not None:
            told["param"] = error.param
        return told
