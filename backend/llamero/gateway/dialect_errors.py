"""Errors in the dialect of whoever asks. A path belongs to one dialect, so the path tells which.

This holds for every refusal, also for those that no route has seen: a wrong host, a missing key, a body that is too
large. A request that could not be read has no path; it is answered in OpenAI's.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from llamero.http.errors import ErrorRenderer
from llamero.models.errors import LlameroError


class DialectErrors:
    """Picks a renderer by path: the longest prefix that is the path, or ends before one of its slashes."""

    def __init__(self, default: ErrorRenderer, by_prefix: Mapping[str, ErrorRenderer]) -> None:
        self._default = default
        self._by_prefix = sorted(by_prefix.items(), key=lambda entry: len(entry[0]), reverse=True)

    def response(self, error: LlameroError, path: str = "") -> web.Response:
        """Answer a request with an error."""
        for prefix, renderer in self._by_prefix:
            if path == prefix or path.startswith(f"{prefix}/"):
                return renderer.response(error, path)
        return self._default.response(error, path)
