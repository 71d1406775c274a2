"""Keys at a real gateway: headers in, headers out, limits, scopes, and a rule for every route."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from llamero.gateway.access import VISITOR, demand, install_access
from llamero.gateway.rules import RULES, Rule
from llamero.infrastructure.key_digest import digest
from llamero.models.access import ApiKey, Scope, StoredKey
from llamero.models.errors import Forbidden
from llamero.services.access import AccessService, Visitor
from tests.fakes.clock import FakeClock
from tests.gateway.harness import (
    CHAT,
    Gateway,
    Script,
    ScriptedInference,
    chat,
    event,
    eventually,
    forever,
    running_gateway,
    send,
)
from tests.gateway.routes import all_routes
from tests.gateway.test_relay import read_head, streaming


class Keys:
    """Keys in memory, as a store has them."""

    def __init__(self, *keys: ApiKey) -> None:
        self.keys = keys
        self.used: list[str] = []

    def stamp(self) -> int | None:
        return None

    async def stored(self) -> Sequence[StoredKey]:
        return [StoredKey(digest=digest(key.name), key=key) for key in self.keys]

    async def note_use(self, key_id: str, at: float) -> None:
        self.used.append(key_id)


def key(name: str, *scopes: Scope, **limits: int) -> ApiKey:
    """A key whose secret is its name."""
    return ApiKey(id=name, name=name, start="", scopes=scopes or (Scope.INFERENCE,), created_at=0.0, **limits)


@asynccontextmanager
async def keyed_gateway(
    *keys: ApiKey, script: Script | None = None, required: bool = True, clock: FakeClock | None = None
) -> AsyncIterator[Gateway]:
    access = AccessService(Keys(*keys), clock or FakeClock(), required=required)
    async with running_gateway(script, access=access) as gateway:
        yield gateway
    await access.close()


def bearer(name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {name}"}


@pytest.mark.parametrize("headers", [bearer("k"), {"X-Api-Key": "k"}], ids=["OpenAI", "Anthropic"])
async def test_key_of_the_database_lets_in(headers: dict[str, str]) -> None:
    async with keyed_gateway(key("k")) as gateway:
        assert (await chat(gateway, CHAT)).status == 401
        assert (await chat(gateway, CHAT, bearer("other"))).status == 401
        response = await chat(gateway, CHAT, headers)
    assert response.status == 200
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]


async def test_limited_key_is_told_where_it_stands_and_then_to_wait() -> None:
    clock = FakeClock()
    async with keyed_gateway(key("k", requests_per_minute=2), clock=clock) as gateway:
        first = await chat(gateway, CHAT, bearer("k"))  # a stream
        second = await send(gateway, "GET", "/v1/models/no-such", bearer("k"))  # an error
        third = await chat(gateway, CHAT, bearer("k"))
        assert [response.status for response in (first, second, third)] == [200, 404, 429]
        limits = [
            [response.headers[f"x-ratelimit-{name}-requests"] for name in ("limit", "remaining", "reset")]
            for response in (first, second, third)
        ]
        assert limits == [["2", "1", "30s"], ["2", "0", "1m0s"], ["2", "0", "1m0s"]]
        assert third.headers["retry-after"] == "30"
        assert third.error()["code"] == "rate_limit_exceeded"
        assert len(gateway.inference.requests) == 1
        clock.advance(30)
        assert (await chat(gateway, CHAT, bearer("k"))).status == 200


async def test_answers_at_once_are_limited_per_key_and_reading_is_not() -> None:
    script = Script([event("a"), forever])
    async with keyed_gateway(key("one", streams=1), key("other"), script=script) as gateway:
        async with streaming(gateway, headers=bearer("one")) as (reader, _):
            await read_head(reader)
            refused = await chat(gateway, CHAT, bearer("one"))
            assert (refused.status, refused.headers["retry-after"]) == (429, "1")
            assert (await send(gateway, "GET", "/v1/models", bearer("one"))).status == 200
            async with streaming(gateway, headers=bearer("other")) as (another, _):
                await read_head(another)
        await eventually(lambda: gateway.inference.open == 0)
        gateway.inference.script = Script()
        assert (await chat(gateway, CHAT, bearer("one"))).status == 200


def headers_of(head: bytes) -> dict[str, str]:
    lines = [line.partition(": ") for line in head.decode().split("\r\n")[1:] if line]
    return {name.lower(): value for name, _, value in lines}


async def test_key_with_limited_answers_is_told_how_many_it_may_have() -> None:
    def told(headers: Mapping[str, str]) -> list[str]:
        assert not [name for name in headers if name.startswith("x-ratelimit") and name.endswith("requests")]
        return [headers[f"x-ratelimit-{name}-streams"] for name in ("limit", "remaining", "reset")]

    script = Script([event("a"), forever])
    two, mine = key("two", streams=2), bearer("two")
    async with keyed_gateway(two, script=script) as gateway, streaming(gateway, headers=mine) as (reader, _):
        assert told(headers_of(await read_head(reader))) == ["2", "1", "0ms"]
        async with streaming(gateway, headers=mine) as (another, _):
            assert told(headers_of(await read_head(another))) == ["2", "0", "1s"]
            refused = await chat(gateway, CHAT, mine)
            assert (refused.status, told(refused.headers)) == (429, ["2", "0", "1s"])
            listed = await send(gateway, "GET", "/v1/models", mine)
            assert (listed.status, told(listed.headers)) == (200, ["2", "0", "1s"])


async def test_key_with_both_limits_is_told_both() -> None:
    async with keyed_gateway(key("k", requests_per_minute=9, streams=3)) as gateway:
        headers = (await chat(gateway, CHAT, bearer("k"))).headers
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-limit-streams"]) == ("9", "3")


async def test_open_gateway_accepts_any_bearer_and_still_limits_a_key_of_ours() -> None:
    async with keyed_gateway(key("k", requests_per_minute=1), required=False) as gateway:
        for headers in ({}, bearer("not-needed"), {"X-Api-Key": "anything"}):
            assert (await chat(gateway, CHAT, headers)).status == 200
        assert [(await chat(gateway, CHAT, bearer("k"))).status for _ in range(2)] == [200, 429]


async def test_key_without_the_scope_is_refused_by_name() -> None:
    async with keyed_gateway(key("k", Scope.MANAGEMENT)) as gateway:
        response = await chat(gateway, CHAT, bearer("k"))
        assert gateway.inference.requests == []
    assert response.status == 403
    assert "scope=inference" in response.error()["message"]


async def test_route_without_a_rule_is_for_managers_only() -> None:
    """Whoever forgets the table has closed the route, not opened it."""
    app = web.Application()
    seen: list[Visitor | None] = []

    async def handle(request: web.Request) -> web.Response:
        seen.append(request.get(VISITOR))
        with pytest.raises(Forbidden):
            demand(request, Scope.INFERENCE)
        return web.Response()

    @web.middleware
    async def catch(request: web.Request, handler: object) -> web.StreamResponse:
        try:
            return await handler(request)  # type: ignore[operator,no-any-return]
        except Forbidden:
            return web.Response(status=403)

    app.middlewares.append(catch)
    install_access(app, AccessService(Keys(key("i"), key("m", Scope.MANAGEMENT)), FakeClock(), required=True))
    app.router.add_get("/forgotten", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        gateway = Gateway(port, ScriptedInference(), None)  # type: ignore[arg-type]
        assert (await send(gateway, "GET", "/forgotten", bearer("i"))).status == 403
        assert (await send(gateway, "GET", "/forgotten", bearer("m"))).status == 200
    finally:
        await runner.cleanup()
    assert len(seen) == 1


@pytest.mark.parametrize("route", all_routes())
def test_route_has_a_rule(route: str) -> None:
    assert route in RULES


@pytest.mark.parametrize("route", all_routes())
async def test_route_asks_for_the_key_that_its_rule_says(route: str) -> None:
    method, path = route.split(" ")
    rule: Rule = RULES[route]
    keys = (key("i"), key("m", Scope.MANAGEMENT))
    body = b"{}" if method == "POST" else None
    async with keyed_gateway(*keys) as gateway:
        target = path.replace("{id}", "x")
        statuses = [
            (await send(gateway, method, target, headers, body)).status
            for headers in ({}, bearer("wrong"), bearer("i"), bearer("m"))
        ]
    refused = [status if status in (401, 403) else 0 for status in statuses]
    expected = {
        None: [0, 0, 0, 0],
        Scope.INFERENCE: [401, 401, 0, 403],
        Scope.MANAGEMENT: [401, 401, 403, 0],
    }
    assert refused == expected[rule.scope]
