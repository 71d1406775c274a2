"""Serves the built page: files of one directory, by a fixed table of types, and nothing else of the disk.

Names with a hash in them never change, so they may be kept for ever; `index.html` is never kept. Without a built page
there is a plain one that says what to do.
"""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

import llamero
from llamero.bridge.errors import BridgeErrors
from llamero.models.errors import NotFound

INDEX = "index.html"

# A file of another type is not served. Guessing by the system's tables has made scripts text/plain on some machines.
TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
# No dot file, no parent, no separator of any system, no drive, nothing that is decoded twice.
_SEGMENT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}")
_HASHED = re.compile(r".+-[A-Za-z0-9_-]{8,}\.[a-z0-9]+")

# The page never needs these, and Qt grants some of them without asking.
PAGE_HEADERS: Mapping[str, str] = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "X-DNS-Prefetch-Control": "off",  # the name of a host that an answer links to is looked up when it is clicked
}


def find_frontend() -> Path:
    """Return where the built page is: in the package, or in the source folder beside it. It may be missing."""
    package = Path(llamero.__file__).resolve().parent
    installed = package / "frontend"
    return installed if (installed / INDEX).is_file() else package.parent.parent / "frontend" / "dist"


class Pages:
    """The files of the page."""

    def __init__(self, directory: Path, errors: BridgeErrors) -> None:
        self._directory = directory
        self._errors = errors

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer with a file. Raises NotFound."""
        path = request.match_info["path"]
        file = await asyncio.to_thread(self._find, path or INDEX)
        if file is None and not path:
            return self._not_built()
        if file is None:
            raise NotFound(path=request.rel_url.raw_path[:200])
        return web.FileResponse(
            file,
            headers={**PAGE_HEADERS, "Content-Type": TYPES[file.suffix], "Cache-Control": _keeping(path)},
        )

    def _find(self, path: str) -> Path | None:
        """Find a file of the page; None for whatever is not one, a link that leads outside included."""
        segments = path.split("/")
        if not all(_SEGMENT.fullmatch(segment) and ".." not in segment for segment in segments):
            return None
        file = self._directory.joinpath(*segments)
        if file.suffix not in TYPES or not file.is_file():
            return None
        inside = file.resolve().is_relative_to(self._directory.resolve())
        return file if inside else None

    def _not_built(self) -> web.Response:
        """A page without any script, since there is none."""
        error = NotFound("bridge_error-no_interface", path=str(self._directory / INDEX))
        text = html.escape(self._errors.text(error))
        body = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Llamero</title></head>'
            f"<body><h1>Llamero</h1><p>{text}</p></body></html>"
        )
        headers = {**PAGE_HEADERS, "Cache-Control": "no-store"}
        return web.Response(status=503, text=body, content_type="text/html", charset="utf-8", headers=headers)


def _keeping(path: str) -> str:
    if not path or path == INDEX:
        return "no-store"
    return "public, max-age=31536000, immutable" if _HASHED.fullmatch(path) else "no-cache"
