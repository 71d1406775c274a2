"""Errors in the dialect of whoever asks. A path belongs to one dialect, so the path tells which.

This holds for every refusal, also for those that no route has seen: a wrong host, a missing key, a body that is too
large. A request that could not be read has no path; it is answered in OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from llamero.gateway.dialects import Dialect, dialect_of
from llamero.http.errors import ErrorRenderer
from llamero.models.errors import LlameroError


class DialectErrors:
    """Picks a renderer by path; `default` is for the dialects that have none of their own."""

    def __init__(self, default: ErrorRenderer, renderers: Mapping[Dialect, ErrorRenderer]) -> None:
        self._default = default
        self._renderers = renderers

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        return self._renderers.get(dialect_of(path), self._default).response(error, path)
