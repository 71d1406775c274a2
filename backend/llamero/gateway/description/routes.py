"""`/openapi.json` and `/docs`, built when they are first asked for."""

from __future__ import annotations

import functools
from html import escape
from importlib.resources import files

import msgspec
from aiohttp import web

from llamero.http.bodies import expect_later

# The one page of the gateway that a browser shows; all that it loads is its style.
PAGE_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class DescriptionRoutes:
    """Handlers."""

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        app.router.add_get("/openapi.json", self.document, expect_handler=expect_later)
        app.router.add_get("/docs", self.page, expect_handler=expect_later)
        app.router.add_get("/docs/style.css", self.style, expect_handler=expect_later)

    async def document(self, request: web.Request) -> web.Response:
        """The OpenAPI document."""
        return web.Response(body=_document(), content_type="application/json")

    async def page(self, request: web.Request) -> web.Response:
        """The page, with examples for the address by which it was asked for."""
        from llamero.gateway.description.page import ADDRESS

        text = _page().replace(ADDRESS, escape(f"http://{request.host}"))
        return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": PAGE_POLICY})

    async def style(self, request: web.Request) -> web.Response:
        """How the page looks."""
        return web.Response(body=_style(), content_type="text/css")


@functools.cache
def _document() -> bytes:
    from llamero.gateway.description.document import build_document  # some 10 ms, and few ask

    return msgspec.json.encode(build_document())


@functools.cache
def _page() -> str:
    from llamero.gateway.description.page import build_page

    return build_page(msgspec.json.decode(_document()))


@functools.cache
def _style() -> bytes:
    return files("llamero.gateway.description").joinpath("style.css").read_bytes()
