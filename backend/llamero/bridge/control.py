"""Where the command line reaches a running Llamero: a loopback port of its own, with a token of its own.

`llamero serve` has no page and so no bridge; and the commands of a page are not for whoever reads a file in the data
directory. So both faces open this, which knows the few commands of the command line and nothing else, under the same
policy, tokens and limits as the bridge.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web

from llamero.bridge.context import Engines
from llamero.bridge.dispatch import Dispatcher
from llamero.bridge.errors import BridgeErrors
from llamero.bridge.log_push import Feed
from llamero.bridge.origin import Origin
from llamero.bridge.policy import BRIDGE_LIMITS, COMMANDS, bridge_policy
from llamero.bridge.registry import Registry
from llamero.bridge.server_infos import Actor, ServerInfos
from llamero.http.bodies import expect_later
from llamero.http.errors import ErrorText
from llamero.http.middleware import install
from llamero.http.policy import response_headers
from llamero.http.server import CONNECTION_OPTIONS, ConnectionOptions, HttpServer
from llamero.infrastructure.clock import Clock
from llamero.models.metrics import ProcessMetrics


@dataclass(frozen=True, kw_only=True)
class ControlContext:
    """What the commands of the command line may use. `measure` tells what the trees below some processes cost."""

    actor: Actor
    engines: Engines
    infos: ServerInfos
    feed: Feed
    clock: Clock
    measure: Callable[[Iterable[int]], Awaitable[Mapping[int, ProcessMetrics]]]


class ControlServer:
    """Answers the command line. Belongs to one event loop."""

    def __init__(self, origin: Origin, context: ControlContext, registry: Registry, messages: ErrorText) -> None:
        errors, policy = BridgeErrors(messages), bridge_policy(origin.port)
        self._dispatcher = Dispatcher(registry, origin.tokens, lambda caller: context, BRIDGE_LIMITS)
        app = web.Application()
        app[CONNECTION_OPTIONS] = ConnectionOptions(BRIDGE_LIMITS, errors, response_headers(policy, None))
        install(app, policy, errors)
        app.router.add_post(f"{COMMANDS}{{command}}", self._dispatcher.handle, expect_handler=expect_later)
        self._server = HttpServer(app, origin.sockets)

    async def start(self) -> None:
        """Answer from now on. Raises `OSError` where a socket cannot listen."""
        await self._server.start()

    async def stop(self) -> None:
        """End what is under way and listen no more. Idempotent."""
        await self._dispatcher.close()
        await self._server.stop()
