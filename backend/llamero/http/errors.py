"""What every surface does with an error: a sentence without paths, a number for a crash, a name for aiohttp's own.

How an error looks on the wire is each surface's; a surface is an `ErrorRenderer`.
"""

from __future__ import annotations

import copy
import logging
import secrets
from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from llamero.http.redaction import shorten_paths
from llamero.models.errors import (
    InternalError,
    InvalidRequest,
    LlameroError,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
)

logger = logging.getLogger(__name__)

# The catalogue of messages: returns the text of an error for a person.
ErrorText = Callable[[LlameroError], str]


class ErrorRenderer(Protocol):
    """How a surface tells an error."""

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error. `path` is the request's, empty where none could be read."""
        ...


def public_text(messages: ErrorText, error: LlameroError) -> str:
    """Return the sentence for an error, with every path shortened to its file name."""
    shown = copy.copy(error)
    shown.arguments = {
        name: shorten_paths(value) if isinstance(value, str) and not _is_echo(error, name) else value
        for name, value in error.arguments.items()
    }
    return messages(with_param(shown))


def with_param(error: LlameroError) -> LlameroError:
    """Let the sentence name the field at fault: messages know it as `$param`."""
    if error.param is None or "param" in error.arguments:
        return error
    named = copy.copy(error)
    named.arguments = {**error.arguments, "param": error.param}
    return named


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
