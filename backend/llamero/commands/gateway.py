"""The gateway around a running application: its sockets, its policy, its address."""

from __future__ import annotations

import ipaddress
from contextlib import AsyncExitStack

from msgspec.structs import replace

from llamero.application import Application
from llamero.commands.options import Ground
from llamero.commands.report import say
from llamero.gateway.app import create_gateway
from llamero.gateway.limits import Limits
from llamero.gateway.policy import gateway_policy
from llamero.gateway.server import GatewayServer
from llamero.gateway.surface import GatewayServices
from llamero.infrastructure.listening import bind_listeners, port_holder
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import LlameroError
from llamero.models.settings import GatewaySettings, Source


async def open_gateway(app: Application, ground: Ground, key: str | None, stack: AsyncExitStack) -> str:
    """Open the gateway, to be closed with `stack`, and return its address. Raises IoFailed or InvalidRequest."""
    gateway = ground.resolved.settings.gateway
    explicit = ground.resolved.sources["gateway.port"] is not Source.DEFAULT
    sockets = bind_listeners(gateway.host, gateway.port, explicit)
    try:
        port: int = sockets[0].getsockname()[1]
        addresses = [str(listening.getsockname()[0]) for listening in sockets]
        policy = gateway_policy(_with_own_host(gateway), port=port, addresses=addresses, key=key)
        services = GatewayServices(inference=app.inference, models=app.router, servers=app.servers)
        application = create_gateway(services, policy, error_text, Limits.from_settings(gateway))
        server = GatewayServer(application, sockets)
    except BaseException:
        for listening in sockets:
            listening.close()
        raise
    stack.push_async_callback(server.stop)
    await server.start()
    if gateway.port not in (0, port):
        holder = port_holder(gateway.port) or ""
        moved = default_messages().text("port-moved", {"port": gateway.port, "used": port, "holder": holder})
        say(f"llamero: {moved}")
    if _is_everywhere(gateway.host) and not gateway.allowed_hosts:
        say(f"llamero: {default_messages().text('cli-name-hosts', {'path': str(ground.paths.settings_file)})}")
    return f"http://{_reachable(gateway.host)}:{port}"


def error_text(error: LlameroError) -> str:
    """The sentence for an error."""
    return default_messages().error(error)


def _with_own_host(gateway: GatewaySettings) -> GatewaySettings:
    """A person who names the address to listen on has named a host by which this machine may be called."""
    if _is_everywhere(gateway.host):
        return gateway
    return replace(gateway, allowed_hosts=(*gateway.allowed_hosts, gateway.host))


def _is_everywhere(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


def _reachable(host: str) -> str:
    """The host for an address that works on this machine."""
    if _is_everywhere(host) or host.lower() in ("localhost", "::1", "[::1]"):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
