"""The gateway around a running application: its sockets, its policy, its address."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack

from msgspec.structs import replace

from llamero.application import Application
from llamero.commands.options import Ground
from llamero.commands.report import say, sentence
from llamero.gateway.app import create_gateway
from llamero.gateway.inspection import Inspection
from llamero.gateway.limits import Limits
from llamero.gateway.policy import check_keyed, gateway_policy
from llamero.gateway.server import GatewayServer
from llamero.gateway.surface import GatewayServices
from llamero.http.policy import is_loopback
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.listening import bind_listeners, port_holder
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.responses import ResponseStore
from llamero.models.access import GatewayState
from llamero.models.errors import IoFailed, LlameroError
from llamero.models.settings import GatewaySettings, Source
from llamero.services.access import AccessService
from llamero.services.responses.service import ResponseService


async def open_gateway(
    app: Application, ground: Ground, key: str | None, stack: AsyncExitStack, inspection: Inspection | None = None
) -> GatewayState:
    """Open the gateway, to be closed with `stack`, and say where it is. Raises IoFailed or InvalidRequest.

    `inspection` records its requests, where somebody can look at them.
    """
    gateway = ground.resolved.settings.gateway
    responses = await _kept_responses(app)
    explicit = ground.resolved.sources["gateway.port"] is not Source.DEFAULT
    sockets = bind_listeners(gateway.host, gateway.port, explicit)
    try:
        port: int = sockets[0].getsockname()[1]
        second = _bind_for_ollama(ground, port)
        sockets += second
        access = await _access(app, gateway, sockets, key)
        policy = gateway_policy(_with_own_host(gateway), port=port, ollama_port=gateway.ollama_port if second else None)
        services = GatewayServices(
            inference=app.inference,
            models=app.router,
            servers=app.servers,
            access=access,
            responses=responses,
            hardware=app.metrics,
            files=app.model_headers,
            inspection=inspection,
        )
        application = create_gateway(services, policy, error_text, Limits.from_settings(gateway), app.counts)
        server = GatewayServer(application, sockets)
    except BaseException:
        for listening in sockets:
            listening.close()
        raise
    stack.push_async_callback(access.close)
    stack.push_async_callback(server.stop)
    await server.start()
    if gateway.port not in (0, port):
        holder = port_holder(gateway.port) or ""
        moved = default_messages().text("port-moved", {"port": gateway.port, "used": port, "holder": holder})
        say(f"llamero: {moved}")
    if _is_everywhere(gateway.host) and not gateway.allowed_hosts:
        say(f"llamero: {default_messages().text('cli-name-hosts', {'path': str(ground.paths.settings_file)})}")
    host = _reachable(gateway.host)
    return GatewayState(
        url=f"http://{host}:{port}",
        ollama_port=gateway.ollama_port,
        ollama_url=f"http://{host}:{gateway.ollama_port}" if second else None,
        key_required=access.required,
    )


async def _kept_responses(app: Application) -> ResponseService | None:
    if app.database is None:
        return None
    responses = ResponseService(ResponseStore(app.database), SystemClock(), app.settings.responses, error_text)
    await responses.recover()
    return responses


def error_text(error: LlameroError) -> str:
    """The sentence for an error."""
    return default_messages().error(error)


def _bind_for_ollama(ground: Ground, port: int) -> list[socket.socket]:
    """Open the second port, where one is wanted.

    One that another program has is said and done without. Raises IoFailed where the command line named it.
    """
    gateway, sources = ground.resolved.settings.gateway, ground.resolved.sources
    if gateway.ollama_port in (0, port):
        return []
    try:
        return bind_listeners(gateway.host, gateway.ollama_port, True)
    except IoFailed as error:
        if sources["gateway.ollama_port"] is Source.COMMAND_LINE:
            raise
        say(f"llamero: {sentence(error)}")
        return []


async def _access(
    app: Application, gateway: GatewaySettings, sockets: Sequence[socket.socket], key: str | None
) -> AccessService:
    """Decide whether a key is required. Raises InvalidRequest where one is and there is none."""
    addresses = [str(listening.getsockname()[0]) for listening in sockets]
    required = gateway.require_key or key is not None or not all(map(is_loopback, addresses))
    access = AccessService(app.api_keys, SystemClock(), required=required, configured=key)
    check_keyed(addresses, keyed=await access.has_keys())
    return access


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
