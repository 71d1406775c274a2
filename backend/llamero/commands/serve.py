"""`llamero serve`: the gateway for other programs, until asked to end.

stdout gets exactly one line, the gateway's address, when it is ready: with `--model`, when the model is. Until then the
gateway listens already and holds requests. Asked to end, in whatever state, it stops listening, ends streams with a
word, stops every engine and leaves with 0.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path

from msgspec.structs import replace

from llamero.application import Application, running
from llamero.commands.options import Ground, Options, prepare
from llamero.commands.report import say
from llamero.commands.signals import asked_to_end
from llamero.gateway.app import create_gateway
from llamero.gateway.limits import Limits
from llamero.gateway.policy import gateway_policy
from llamero.gateway.server import GatewayServer
from llamero.infrastructure.api_keys import read_api_key
from llamero.infrastructure.listening import bind_listeners, port_holder
from llamero.infrastructure.messages import default_messages
from llamero.models.errors import IoFailed, LlameroError
from llamero.models.settings import GatewaySettings, Source


def serve(options: Options) -> int:
    """Serve until asked to end. Raises LlameroError when it cannot begin."""
    return asyncio.run(_until_asked(options))


async def _until_asked(options: Options) -> int:
    serving = asyncio.ensure_future(_serve(options))
    with asked_to_end(serving.cancel):
        await asyncio.wait({serving})
        return 0 if serving.cancelled() else serving.result()


async def _serve(options: Options) -> int:
    ground = prepare(options, {"gateway.host": options.host, "gateway.port": options.port}, console_level="warning")
    sources = ground.resolved.sources
    if options.host is not None and sources["gateway.host"] is not Source.COMMAND_LINE:
        raise IoFailed("port_error-not_local", host=options.host)
    key = read_api_key(options.api_key_file, os.environ)
    async with running(ground.paths, ground.resolved) as app, AsyncExitStack() as stack:
        url = await _listen(app, ground, key, stack)
        if options.model is not None:
            await _load(app, options.model)
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        await app.metrics.start()
        await asyncio.Event().wait()
    return 0


async def _load(app: Application, file: Path) -> None:
    await app.llama.start(app.catalog.add_file(file))


async def _listen(app: Application, ground: Ground, key: str | None, stack: AsyncExitStack) -> str:
    """Open the gateway, to be closed with `stack`, and return its address."""
    gateway = ground.resolved.settings.gateway
    explicit = ground.resolved.sources["gateway.port"] is not Source.DEFAULT
    sockets = bind_listeners(gateway.host, gateway.port, explicit)
    try:
        port: int = sockets[0].getsockname()[1]
        addresses = [str(listening.getsockname()[0]) for listening in sockets]
        policy = gateway_policy(_with_own_host(gateway), port=port, addresses=addresses, key=key)
        application = create_gateway(
            app.inference, app.catalog, lambda: app.actor.snapshot, policy, _text, Limits.from_settings(gateway)
        )
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


def _text(error: LlameroError) -> str:
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
