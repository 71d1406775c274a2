"""`/openapi.json` and `/docs`: whole, true to the routes, and a page that asks for nothing from elsewhere."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from llamero.gateway.description.document import OPERATIONS, build_document
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import running_gateway, send
from tests.gateway.routes import all_routes

DOCUMENT: dict[str, Any] = build_document()


def test_every_route_is_described_and_nothing_else_is() -> None:
    assert sorted(operation.route for operation in OPERATIONS) == all_routes()


def test_document_is_served_as_it_was_built() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    identifiers = [item["operationId"] for path in DOCUMENT["paths"].values() for item in path.values()]
    assert len(set(identifiers)) == len(identifiers) == len(OPERATIONS)


def test_every_reference_of_the_document_leads_somewhere() -> None:
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert references <= set(DOCUMENT["components"]["schemas"])
    assert len(references) > 10


def test_unknown_fields_pass_every_schema() -> None:
    closed = [name for name, schema in DOCUMENT["components"]["schemas"].items()
              if schema.get("additionalProperties") is False]  # fmt: skip
    assert closed == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.route)
def test_operation_tells_what_a_reader_needs(operation: Any) -> None:
    assert operation.summary
    assert (operation.request is None) == (operation.method in ("GET", "DELETE") or operation.path.endswith("/cancel"))
    if operation.request is not None and not operation.form:
        assert operation.example is not None
        assert msgspec.convert(operation.example, operation.request) is not None
    for name in re.findall(r"{(\w+)}", operation.path):
        assert name in [parameter.name for parameter in operation.parameters]


class Page(HTMLParser):
    """What a page loads, links to and shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.loaded: list[str] = []
        self.anchors: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.add(name)
            if name == "src" or (tag == "link" and name == "href"):
                self.loaded.append(value or "")
            elif name == "href":
                self.anchors.append(value or "")
            elif name == "id":
                self.ids.append(value or "")


async def test_page_loads_its_style_and_nothing_else() -> None:
    async with running_gateway() as gateway:
        response = await send(gateway, "GET", "/docs")
        style = await send(gateway, "GET", "/docs/style.css")
    page = Page(response.body.decode())
    assert page.loaded == ["/docs/style.css"]
    assert not page.tags & {"script", "style", "img", "iframe", "form", "object"}
    assert not [name for name in page.attributes if name == "style" or name.startswith("on")]
    assert {anchor.removeprefix("#") for anchor in page.anchors if anchor.startswith("#")} <= set(page.ids)
    assert b"url(" not in style.body
    assert b"@import" not in style.body
    assert (style.status, style.headers["content-type"]) == (200, "text/css")


async def test_page_may_load_its_style_and_every_other_answer_nothing() -> None:
    async with running_gateway() as gateway:
        page = (await send(gateway, "GET", "/docs")).headers["content-security-policy"]
        others = [(await send(gateway, "GET", path)).headers["content-security-policy"] for path in ("/health", "/nix")]
    assert page.startswith("default-src 'none'; style-src 'self';")
    assert "script-src" not in page
    assert not [policy for policy in others if "style-src" in policy]


async def test_page_shows_every_route_with_the_address_by_which_it_was_asked_for() -> None:
    async with running_gateway() as gateway:
        text = (await send(gateway, "GET", "/docs")).body.decode()
        for operation in OPERATIONS:
            assert f"<code>{operation.path}</code>" in text
            assert f"http://{gateway.host}{operation.path.partition('{')[0]}" in text, operation.route
        assert "127.0.0.1:5526" not in text


@pytest.mark.parametrize("path", ["/openapi.json", "/docs", "/docs/style.css"])
async def test_description_needs_no_key_but_the_right_host_and_origin(path: str) -> None:
    settings = GatewaySettings(allowed_origins=("https://app.example",))
    async with running_gateway(key="k", settings=settings) as gateway:
        assert (await send(gateway, "GET", path)).status == 200
        assert (await send(gateway, "GET", path, host="evil.example")).status == 403
        assert (await send(gateway, "GET", path, {"Origin": "https://evil.example"})).status == 403
        listed = await send(gateway, "GET", path, {"Origin": "https://app.example"})
        assert listed.headers["access-control-allow-origin"] == "https://app.example"
