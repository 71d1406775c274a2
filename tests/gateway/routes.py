"""The routes of a gateway, for the tests that want something of every one."""

from __future__ import annotations

from llamero.gateway.app import create_gateway
from llamero.gateway.policy import gateway_policy
from llamero.models.settings import GatewaySettings
from tests.gateway.harness import ScriptedInference, services_around, text_of


def all_routes() -> list[str]:
    """Every route by method and template; HEAD goes with GET."""
    app = create_gateway(services_around(ScriptedInference()), gateway_policy(GatewaySettings(), port=1), text_of)
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource is not None}
    return sorted(f"{method} {path}" for method, path in found if method != "HEAD")
