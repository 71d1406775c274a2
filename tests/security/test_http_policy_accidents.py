"""Accidents of programs like this one, as the requests that caused them."""

from __future__ import annotations

import json

import aiohttp
import pytest

from llamero.models.settings import GatewaySettings
from tests.gateway.harness import CHAT, Script, chat, exchange, request_bytes, running_gateway, send
from tests.gateway.routes import all_routes

BODY = json.dumps(CHAT).encode()
EVIL = "https://evil.example"
LISTED = GatewaySettings(allowed_origins=("https://app.example",))


@pytest.mark.parametrize("target", ["/health", "/v1/models", "/v1/chat/completions", "/nothing"])
async def test_dns_rebinding_ollama_cve_2024_28224_host_of_the_page_is_refused(target: str) -> None:
    """The page's own name resolves to 127.0.0.1: for its browser everything is same-origin, only Host gives it away."""
    async with running_gateway() as gateway:
        name = f"rebound.evil.example:{gateway.port}"
        headers = {"Origin": f"http://{name}", "Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        for method, body in (("GET", None), ("POST", BODY)):
            response = await send(gateway, method, target, headers, body, host=name)
            assert response.status == 403
            assert "forbidden_host" in response.error()["message"]
            assert "access-control-allow-origin" not in response.headers
        assert gateway.inference.requests == []


async def test_jan_ghsa_x6p8_7cp8_c3p6_host_has_no_wildcard() -> None:
    settings = GatewaySettings(allowed_hosts=("*", "*.local", "0.0.0.0"))
    async with running_gateway(settings=settings) as gateway:
        for name in ("evil.example", "evil.local", "127.0.0.2"):
            assert (await send(gateway, "GET", "/v1/models", host=f"{name}:{gateway.port}")).status == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize(
    "page", [{"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Mode": "no-cors"}]
)
async def test_jan_cve_2025_2446_simple_post_of_a_page_starts_nothing(kind: str, page: dict[str, str]) -> None:
    """A form or a no-cors fetch is sent without preflight; that its answer cannot be read helps nobody."""
    async with running_gateway() as gateway:
        response = await chat(gateway, BODY, page | {"Content-Type": kind})
        assert gateway.inference.requests == []
    assert response.status in (403, 415)


async def test_jan_cve_2024_36858_page_cannot_write_with_json_either() -> None:
    async with running_gateway() as gateway:
        response = await chat(gateway, BODY, {"Origin": EVIL, "Content-Type": "application/json"})
        assert gateway.inference.requests == []
    assert response.status == 403


async def test_llama_server_cors_reflection_is_not_passed_on() -> None:
    """A llama-server answers any origin with that origin and credentials; none of it may come through us."""
    reflected = {
        "Content-Type": "text/event-stream",
        "Access-Control-Allow-Origin": EVIL,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Allow-Headers": "*",
    }
    for script in (Script(headers=reflected), Script([b"{}"], status=400, headers=reflected)):
        async with running_gateway(script) as gateway:
            response = await chat(gateway, CHAT)
            assert not [name for name in response.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("settings", [GatewaySettings(), LISTED], ids=["default", "another origin listed"])
async def test_preflight_of_an_unknown_origin_gets_no_cors_header(settings: GatewaySettings) -> None:
    headers = {
        "Origin": EVIL,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    async with running_gateway(settings=settings) as gateway:
        response = await send(gateway, "OPTIONS", "/v1/chat/completions", headers)
    assert response.status == 403
    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_preflight_of_a_listed_origin_is_answered_for_it_alone() -> None:
    asked = "authorization, content-type, x-stainless-lang"
    headers = {
        "Origin": "https://app.example",
        "Sec-Fetch-Site": "cross-site",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    async with running_gateway(settings=LISTED, key="k") as gateway:
        response = await send(gateway, "OPTIONS", "/v1/chat/completions", headers)
        assert response.status == 204
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert response.headers["access-control-allow-headers"] == asked
        assert response.headers["vary"] == "Origin"
        assert "access-control-allow-credentials" not in response.headers
        refused = await chat(gateway, CHAT, {"Origin": "https://app.example", "Content-Type": "application/json"})
        assert refused.status == 401  # and the page can read why
        assert refused.headers["access-control-allow-origin"] == "https://app.example"


@pytest.mark.parametrize("route", all_routes())
async def test_page_of_an_origin_that_is_not_listed_gets_nothing_of_any_route(route: str) -> None:
    method, path = route.split(" ")
    target, body = path.replace("{id}", "x"), BODY if method == "POST" else None
    page = {"Origin": EVIL, "Content-Type": "application/json"}
    preflight = {"Origin": EVIL, "Access-Control-Request-Method": method}
    async with running_gateway(settings=LISTED) as gateway:
        for response in (
            await send(gateway, method, target, page, body),
            await send(gateway, "OPTIONS", target, preflight),
        ):
            assert response.status == 403
            assert not [name for name in response.headers if name.startswith("access-control-")]
        listed = await send(gateway, method, target, page | {"Origin": "https://app.example"}, body)
        assert listed.headers["access-control-allow-origin"] == "https://app.example"
        exposed = listed.headers["access-control-expose-headers"].lower()
        assert "x-ratelimit-remaining-requests" in exposed
        assert "x-ratelimit-remaining-streams" in exposed


@pytest.mark.parametrize("asked", ["*", "x: y", "a" * 2000, "a,,b", ""])
async def test_preflight_does_not_echo_what_is_not_header_names(asked: str) -> None:
    headers = {
        "Origin": "https://app.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": asked,
    }
    async with running_gateway(settings=LISTED) as gateway:
        response = await send(gateway, "OPTIONS", "/v1/chat/completions", headers)
    assert response.headers["access-control-allow-headers"] == "Authorization, Content-Type, X-Api-Key"


async def test_image_or_script_of_a_page_reads_nothing() -> None:
    """A no-cors GET has no Origin; the site and CORP stand in the way."""
    async with running_gateway(settings=LISTED) as gateway:
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "script"}
        response = await send(gateway, "GET", "/v1/models", headers)
    assert response.status == 403
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


async def test_llama_cpp_cve_2026_21869_negative_numbers_do_not_reach_the_engine() -> None:
    async with running_gateway() as gateway:
        for name in ("n_discard", "n_keep", "n_predict", "n_probs", "min_keep", "id_slot", "repeat_last_n", "n_indent"):
            for value in (-(2**31), -2, 2**31, 2**32 + 1, -1e9):
                response = await chat(gateway, CHAT | {name: value})
                assert (response.status, response.error()["param"]) == (400, name)
        assert gateway.inference.requests == []


async def test_request_smuggled_behind_a_refused_one_is_not_read() -> None:
    """The body of a refused request must never be taken for the next request."""
    async with running_gateway() as gateway:
        inner = request_bytes("POST", "/v1/chat/completions", {"Host": gateway.host}, BODY)
        outer = request_bytes("POST", "/v1/chat/completions", {"Host": "evil.example"}, inner)
        response = await exchange(gateway.port, outer)
        assert response.status == 403
        assert gateway.inference.requests == []


async def test_upgrade_asked_by_a_page_opens_nothing() -> None:
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": EVIL,
    }
    async with running_gateway() as gateway:
        assert (await send(gateway, "GET", "/health", headers)).status == 403


async def test_ordinary_client_is_let_in_as_it_comes() -> None:
    async with running_gateway() as gateway, aiohttp.ClientSession() as session:
        async with session.post(f"{gateway.url}/v1/chat/completions", json=CHAT) as response:
            assert response.status == 200
            assert (await response.read()).endswith(b"data: [DONE]\n\n")
        async with session.get(f"http://localhost:{gateway.port}/v1/models") as response:
            assert response.status == 200
