"""Asks every request for its key: behind the policy, which has judged where the request comes from, before any route.

A key that is limited is told where it stands with every answer, as the OpenAI API does:
`x-ratelimit-limit-requests`, `x-ratelimit-remaining-requests` and `x-ratelimit-reset-requests`. The answers that it may
have at once are told in the same way, as `streams`: that API has no such limit, so it has no name for it either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from aiohttp import web

from llamero.gateway.rules import rule_of
from llamero.http.middleware import Handler
from llamero.http.policy import presented_keys
from llamero.models.access import Scope
from llamero.services.access import ANYBODY, Visitor
from llamero.services.rate_limits import Standing

# The window has let this request in, which needs no key.
LET_IN: web.RequestKey[bool] = web.RequestKey("let_in", bool)
VISITOR: web.RequestKey[Visitor] = web.RequestKey("visitor", Visitor)


class Access(Protocol):
    """Who is let in: `services.access.AccessService`."""

    async def identify(self, presented: Iterable[str]) -> Visitor:
        """Return who sends these keys. Raises AuthenticationFailed."""
        ...


def install_access(app: web.Application, access: Access) -> None:
    """Ask for keys from now on. Call after the policy is installed."""

    @web.middleware
    async def ask(request: web.Request, handler: Handler) -> web.StreamResponse:
        rule = rule_of(request.method, route_of(request))
        if rule.scope is None or LET_IN in request:
            return await handler(request)
        visitor = await access.identify(presented_keys(request.headers))
        if visitor is ANYBODY:
            return await handler(request)
        request[VISITOR] = visitor
        visitor.require(rule.scope)
        visitor.count_request()
        if not rule.answers:
            return await handler(request)
        with visitor.stream():
            return await handler(request)

    async def tell_limits(request: web.Request, response: web.StreamResponse) -> None:
        visitor = request.get(VISITOR)
        if visitor is None:
            return
        for what, standing in (("requests", visitor.standing), ("streams", visitor.streams_standing)):
            if standing is not None:
                response.headers.update(limit_headers(what, standing))

    app.middlewares.append(ask)
    app.on_response_prepare.append(tell_limits)


def may(request: web.Request, scope: Scope) -> bool:
    """May the visitor do what only a request's body shows to be asked for?"""
    visitor: Visitor = request.get(VISITOR, ANYBODY)
    return visitor.may(scope)


def demand(request: web.Request, scope: Scope) -> None:
    """Raise Forbidden unless the visitor may do what only a request's body shows to be asked for."""
    request.get(VISITOR, ANYBODY).require(scope)


def route_of(request: web.Request) -> str | None:
    """The template of the route that a request has matched, such as `/v1/models/{id}`; None where there is none."""
    resource = request.match_info.route.resource
    return None if resource is None else resource.canonical


def limit_headers(what: str, standing: Standing) -> Mapping[str, str]:
    """Spell out where a key stands."""
    return {
        f"x-ratelimit-limit-{what}": str(standing.limit),
        f"x-ratelimit-remaining-{what}": str(standing.remaining),
        f"x-ratelimit-reset-{what}": duration(standing.reset_s),
    }


def duration(seconds: float) -> str:
    """Write a time as the OpenAI API does: `120ms`, `8.64s`, `6m0s`."""
    if seconds < 1:
        return f"{round(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + "s"
    return f"{int(seconds) // 60}m{int(seconds) % 60}s"
