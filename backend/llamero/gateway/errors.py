"""Turns errors into the envelope of the OpenAI surface, in one place.

`{"error": {"message", "type", "code", "param"}}`, `code` always a string. Texts come from the catalogue of messages,
with paths shortened to file names.
"""

from __future__ import annotations

import logging
import math

import msgspec
from aiohttp import web

from llamero.http.errors import ErrorText, public_text
from llamero.http.redaction import shorten_paths
from llamero.models.errors import (
    STATUS_BY_TYPE,
    AuthenticationFailed,
    InvalidRequest,
    LlameroError,
    UpstreamFailed,
)
from llamero.services.llama.blame import named_param, refused_request

logger = logging.getLogger(__name__)

TYPE_BY_STATUS = {status: name for name, status in reversed(STATUS_BY_TYPE.items())}
UPSTREAM_MESSAGE_LIMIT = 4096
# llama-server gives no code but the status. Here: what clients of the OpenAI API look for in order to shorten a
# conversation, and for the rest what a refusal of our own is called.
CODE_BY_UPSTREAM_TYPE = {
    "exceed_context_size_error": "context_length_exceeded",
    InvalidRequest.type: InvalidRequest.public_code,
}


class ErrorEnvelope:
    """Renders errors; `messages` is the catalogue: it returns the text for a person."""

    def __init__(self, messages: ErrorText) -> None:
        self._messages = messages

    def fields(self, error: LlameroError) -> dict[str, object]:
        """Return the four fields of an error."""
        return {
            "message": public_text(self._messages, error),
            "type": error.type,
            "code": error.public_code or error.code,
            "param": error.param,
        }

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        if error.status >= 500:
            logger.warning("answered %d: %s", error.status, error)
        response = _json_response(error.status, self.fields(error))
        response.headers.update(error_headers(error))
        return response

    def event(self, error: LlameroError) -> bytes:
        """Tell an error in an event stream that has begun. The stream then ends without `[DONE]`."""
        logger.warning("a stream ended early: %s", error)
        return b"data: " + msgspec.json.encode({"error": self.fields(error)}) + b"\n\n"

    def upstream_response(self, status: int, body: bytes, retry_after: str | None = None) -> web.Response:
        """Answer with an engine's refusal, in our envelope."""
        if not 400 <= status <= 599:
            return self.response(UpstreamFailed(reason=f"HTTP {status}"))
        if (refused := _refused_request(body)) is not None:
            return self.response(refused)
        response = _json_response(status, self.upstream_fields(status, body))
        if retry_after and retry_after.isdecimal():
            response.headers["Retry-After"] = retry_after
        elif status == 503:  # an engine that is still loading
            response.headers["Retry-After"] = "1"
        return response

    def upstream_fields(self, status: int, body: bytes) -> dict[str, object]:
        """Return the fields of an engine's refusal. What it says beyond our four is kept below 500."""
        if not 400 <= status <= 599:
            return self.fields(UpstreamFailed(reason=f"HTTP {status}"))
        if (refused := _refused_request(body)) is not None:
            return self.fields(refused)
        said = _upstream_fields(body)
        kind = said.pop("type", None)
        if not isinstance(kind, str) or not kind:
            kind = TYPE_BY_STATUS.get(status, "invalid_request_error" if status < 500 else "upstream_error")
        code = said.pop("code", None)
        if not isinstance(code, str) or not code:
            code = CODE_BY_UPSTREAM_TYPE.get(kind, kind)
        param, message = said.pop("param", None), said.pop("message", None)
        if not isinstance(param, str):
            param = named_param(message) if status < 500 and isinstance(message, str) else None
        fields: dict[str, object] = {
            "message": self._upstream_text(status, message),
            "type": kind,
            "code": code,
            "param": param,
        }
        return fields | said if status < 500 else fields

    def _upstream_text(self, status: int, message: object) -> str:
        if not isinstance(message, str) or not message.strip() or "Traceback (most recent" in message:
            return public_text(self._messages, UpstreamFailed(reason=f"HTTP {status}"))
        text = message[:UPSTREAM_MESSAGE_LIMIT]
        return text if status < 500 else shorten_paths(text.splitlines()[0])


def error_headers(error: LlameroError) -> dict[str, str]:
    """Return what an error says in its headers, whatever the dialect: when to come back, how to prove who one is."""
    headers: dict[str, str] = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    if isinstance(error, AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="Llamero"'
    return headers


def _json_response(status: int, fields: dict[str, object]) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode({"error": fields}), content_type="application/json")


def _upstream_fields(body: bytes) -> dict[str, object]:
    """Find the error in an engine's answer: an object, or only a text. Empty where there is neither."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    match document:
        case {"error": {**fields}}:
            return {str(name): value for name, value in fields.items()}
        case {"error": str(message)}:
            return {"message": message}
    return {}


def _refused_request(body: bytes) -> InvalidRequest | None:
    """The error for a request that an engine could not read, whatever status it gave that."""
    message = _upstream_fields(body).get("message")
    return refused_request(message) if isinstance(message, str) else None
