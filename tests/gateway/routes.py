"""The routes of a gateway, for the tests that want something of every one."""

from __future__ import annotations

from typing import cast

from llamero.gateway.app import create_gateway
from llamero.gateway.policy import gateway_policy
from llamero.gateway.protocols import Responses
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import ScriptedInference, services_around, text_of


def all_routes() -> list[str]:
    """Every route by method and template; HEAD goes with GET."""
    services = services_around(ScriptedInference(), responses=cast(Responses, object()))  # nobody is going to ask
    app = create_gateway(services, gateway_policy(GatewaySettings(), port=1), text_of)
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    return sorted(f"{method} {path}" for method, path in found if method != "HEAD")
