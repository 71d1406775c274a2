"""Counts errors where they are told, whatever the dialect. A code is one of the tree's, so labels are few."""

from __future__ import annotations

from aiohttp import web

from llamero.gateway.metrics.counts import Counts
from llamero.http.errors import ErrorRenderer
from llamero.models.errors import LlameroError


class CountedErrors:
    """An `ErrorRenderer` that counts."""

    def __init__(self, inner: ErrorRenderer, counts: Counts) -> None:
        self._inner = inner
        self._counts = counts

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        self._counts.errors[error.code] += 1
        return self._inner.response(error, path)
