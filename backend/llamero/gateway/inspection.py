"""Records every request that asks a model, from before its key is looked at to the end of its answer.

Of its headers only the client's own name and the content type are looked at. A request that the inspector sends once
more shows a ticket, which was made for it alone and stands for a key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from llamero.gateway.access import LET_IN, VISITOR, route_of
from llamero.gateway.dialects import dialect_of
from llamero.gateway.rules import rule_of
from llamero.http.bodies import BODY_READER
from llamero.http.middleware import Handler
from llamero.http.redaction import shown_target
from llamero.infrastructure.replaying import TICKET_HEADER
from llamero.services.inspection.trace import Origin, Trace


class Inspection(Protocol):
    """Keeps what is recorded: `services.inspection.inspector.Inspector`."""

    def begin(self, origin: Origin) -> Trace | None:
        """Record a request from now on. None: it is not to be recorded."""
        ...

    def take_ticket(self, ticket: str) -> str | None:
        """Return which request is replayed with this ticket."""
        ...

    def begun(self, ticket: str, trace: Trace) -> None:
        """The request that came with this ticket is recorded here."""
        ...


def install_inspection(app: web.Application, inspection: Inspection) -> None:
    """Record from now on. Call after the policy is installed and before access is."""

    @web.middleware
    async def inspect(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not rule_of(request.method, route_of(request)).answers:
            return await handler(request)
        ticket = request.headers.get(TICKET_HEADER)
        replayed = None if ticket is None else inspection.take_ticket(ticket)
        trace = inspection.begin(_origin(request, replayed))
        if trace is None:
            return await handler(request)
        if ticket is not None and replayed is not None:
            request[LET_IN] = True
            inspection.begun(ticket, trace)
        request[BODY_READER] = _receiver(request, trace)
        with trace.followed():
            try:
                response = await handler(request)
                trace.respond(response.status)
                return response
            finally:
                visitor = request.get(VISITOR)
                trace.key_name = visitor.key.name if visitor is not None and visitor.key is not None else None

    app.middlewares.append(inspect)


def _origin(request: web.Request, replayed: str | None) -> Origin:
    route = route_of(request) or ""
    return Origin(
        dialect=dialect_of(route),
        route=route,
        client=request.headers.get("User-Agent", ""),
        method=request.method,
        path=shown_target(request.rel_url.raw_path, request.rel_url.raw_query_string),
        address=request.remote or "",
        replay_of=replayed,
    )


def _receiver(request: web.Request, trace: Trace) -> Callable[[bytes], None]:
    content_type = request.headers.get("Content-Type", "")
    return lambda body: trace.receive(body, content_type)
