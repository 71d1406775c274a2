"""The routes in Ollama's dialect that tell what there is: the version, the models, and those that are loaded."""

from __future__ import annotations

from aiohttp import web

from llamero.gateway.decoding import converted
from llamero.gateway.ollama import details
from llamero.gateway.ollama.names import known_name
from llamero.gateway.ollama.response import Clock
from llamero.gateway.ollama.wire import ShowRequest
from llamero.gateway.surface import Surface, json_response
from llamero.http.bodies import expect_later, read_json_object
from llamero.models.errors import InvalidRequest
from llamero.models.llama import ServerPhase

GREETING = "Ollama is running"
# The version of Ollama whose API this is: clients that need newer routes or fields look at it.
VERSION = "0.12.11"


class OllamaModelRoutes:
    """Handlers and what they need."""

    def __init__(self, surface: Surface, clock: Clock) -> None:
        self._limits = surface.limits
        self._services = surface.services
        self._clock = clock

    def install(self, app: web.Application) -> None:
        """Add the routes."""
        router = app.router
        router.add_get("/", self.greet, expect_handler=expect_later)
        router.add_get("/api/version", self.version, expect_handler=expect_later)
        router.add_get("/api/tags", self.tags, expect_handler=expect_later)
        router.add_get("/api/ps", self.ps, expect_handler=expect_later)
        router.add_post("/api/show", self.show, expect_handler=expect_later)

    async def greet(self, request: web.Request) -> web.Response:
        """The words by which clients find Ollama."""
        return web.Response(text=GREETING)

    async def version(self, request: web.Request) -> web.Response:
        """Whose API this is."""
        return json_response({"version": VERSION})

    async def tags(self, request: web.Request) -> web.Response:
        """Every model, in the order in which it is listed."""
        models = await self._services.models.listed()
        facts = await self._services.files.facts([model.path for model in models if model.path])
        return json_response({"models": [details.listed(model, facts.get(model.path)) for model in models]})

    async def show(self, request: web.Request) -> web.Response:
        """Everything about one model."""
        asked = converted(await read_json_object(request, self._limits), ShowRequest)
        name = asked.model or asked.name
        if not name:
            raise InvalidRequest("request_error-missing_param", param="model")
        models = self._services.models
        model = await models.find(await known_name(models, name))
        facts = await self._services.files.facts([model.path] if model.path else [])
        return json_response(details.shown(model, facts.get(model.path)))

    async def ps(self, request: web.Request) -> web.Response:
        """The models that are loaded."""
        servers = [server for server in self._services.servers.status().servers if server.phase is ServerPhase.READY]
        facts = await self._services.files.facts([server.model.path for server in servers])
        now, monotonic = self._clock.time(), self._clock.monotonic()
        loaded = [
            details.running(server, facts.get(server.model.path), now=now, monotonic=monotonic) for server in servers
        ]
        return json_response({"models": loaded})
