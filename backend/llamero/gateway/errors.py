"""Turns errors into the envelope of the OpenAI surface, in one place.

`{"error": {"message", "type", "code", "param"}}`, `code` always a string. Texts come from the catalogue of messages,
with paths shortened to file names; a crash is told by an incident number alone, under which the log has the rest.
"""

from __future__ import annotations

import copy
import logging
import math
import secrets
from collections.abc import Callable

import msgspec
from aiohttp import web

from llamero.gateway.redaction import shorten_paths
from llamero.models.errors import (
    STATUS_BY_TYPE,
    AuthenticationFailed,
    InternalError,
    InvalidRequest,
    LlameroError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    UpstreamFailed,
)

logger = logging.getLogger(__name__)

TYPE_BY_STATUS = {status: name for name, status in reversed(STATUS_BY_TYPE.items())}
UPSTREAM_MESSAGE_LIMIT = 4096
# llama-server's name for it, and the one that clients of the OpenAI API look for in order to shorten a conversation.
CODE_BY_UPSTREAM_TYPE = {"exceed_context_size_error": "context_length_exceeded"}


class ErrorEnvelope:
    """Renders errors; `messages` is the catalogue: it returns the text for a person."""

    def __init__(self, messages: Callable[[LlameroError], str]) -> None:
        self._messages = messages

    def fields(self, error: LlameroError) -> dict[str, object]:
        """Return the four fields of an error."""
        return {
            "message": self._text(error),
            "type": error.type,
            "code": error.public_code or error.code,
            "param": error.param,
        }

    def response(self, error: LlameroError) -> web.Response:
        """Answer a request with an error."""
        if error.status >= 500:
            logger.warning("answered %d: %s", error.status, error)
        response = _json_response(error.status, self.fields(error))
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
        if isinstance(error, AuthenticationFailed):
            response.headers["WWW-Authenticate"] = 'Bearer realm="Llamero"'
        return response

    def event(self, error: LlameroError) -> bytes:
        """Tell an error in an event stream that has begun. The stream then ends without `[DONE]`."""
        logger.warning("a stream ended early: %s", error)
        return b"data: " + msgspec.json.encode({"error": self.fields(error)}) + b"\n\n"

    def upstream_response(self, status: int, body: bytes, retry_after: str | None = None) -> web.Response:
        """Answer with an engine's refusal, in our envelope. What it says beyond the four fields is kept below 500."""
        if not 400 <= status <= 599:
            return self.response(UpstreamFailed(reason=f"HTTP {status}"))
        said = _upstream_fields(body)
        kind = said.pop("type", None)
        if not isinstance(kind, str) or not kind:
            kind = TYPE_BY_STATUS.get(status, "invalid_request_error" if status < 500 else "upstream_error")
        code = said.pop("code", None)
        if not isinstance(code, str) or not code:
            code = CODE_BY_UPSTREAM_TYPE.get(kind, kind)
        param = said.pop("param", None)
        fields: dict[str, object] = {
            "message": self._upstream_text(status, said.pop("message", None)),
            "type": kind,
            "code": code,
            "param": param if isinstance(param, str) else None,
        }
        response = _json_response(status, fields | said if status < 500 else fields)
        if retry_after and retry_after.isdecimal():
            response.headers["Retry-After"] = retry_after
        elif status == 503:  # an engine that is still loading
            response.headers["Retry-After"] = "1"
        return response

    def _text(self, error: LlameroError) -> str:
        shown = copy.copy(error)
        shown.arguments = {
            name: shorten_paths(value) if isinstance(value, str) and not _is_echo(error, name) else value
            for name, value in error.arguments.items()
        }
        if error.param is not None:  # messages may name the field at fault
            shown.arguments.setdefault("param", error.param)
        return self._messages(shown)

    def _upstream_text(self, status: int, message: object) -> str:
        if not isinstance(message, str) or not message.strip() or "Traceback (most recent" in message:
            return self._text(UpstreamFailed(reason=f"HTTP {status}"))
        text = message[:UPSTREAM_MESSAGE_LIMIT]
        return text if status < 500 else shorten_paths(text.splitlines()[0])


def crashed(error: BaseException, *, where: str) -> InternalError:
    """Log something that should not have happened, whole, and return what clients are told about it."""
    incident = secrets.token_hex(4)
    logger.error("incident %s: unexpected error in %s", incident, where, exc_info=error)
    return InternalError(reason=incident)


def from_http_exception(error: web.HTTPException, request: web.Request) -> LlameroError:
    """Name what aiohttp itself refuses: routes, methods, sizes."""
    route = request.rel_url.raw_path[:200]
    match error.status:
        case 404:
            return NotFound(path=route)
        case 405:
            return MethodNotAllowed(method=request.method)
        case 413:
            return PayloadTooLarge(limit=request.client_max_size)
    return InvalidRequest()


def _is_echo(error: LlameroError, argument: str) -> bool:
    """Tell whether an argument is what the client itself named: a model or a route, which may look like a path."""
    return argument == "model" or error.code == NotFound.code


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
