"""Puts the gateway together: routes, policy, limits and errors around the services it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from llamero import __version__
from llamero.gateway.access import install_access
from llamero.gateway.anthropic.errors import AnthropicErrors
from llamero.gateway.anthropic.routes import AnthropicRoutes
from llamero.gateway.description.routes import DescriptionRoutes
from llamero.gateway.dialect_errors import DialectErrors
from llamero.gateway.dialects import Dialect
from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.inspection import install_inspection
from llamero.gateway.limits import Limits
from llamero.gateway.llama_cpp.routes import LlamaCppRoutes
from llamero.gateway.metrics.counts import Counts
from llamero.gateway.metrics.errors import CountedErrors
from llamero.gateway.metrics.exposition import Exposition
from llamero.gateway.metrics.measured import MeasuredInference
from llamero.gateway.metrics.model_labels import ModelLabels
from llamero.gateway.metrics.requests import install_counting
from llamero.gateway.metrics.route import MetricsRoute
from llamero.gateway.ollama.errors import OllamaErrors
from llamero.gateway.ollama.model_routes import OllamaModelRoutes
from llamero.gateway.ollama.routes import OllamaRoutes
from llamero.gateway.openai.responses.routes import ResponsesRoutes
from llamero.gateway.openai.routes import OpenAiRoutes
from llamero.gateway.slots import StreamSlots
from llamero.gateway.surface import GatewayServices, Surface, json_response
from llamero.http.bodies import expect_later
from llamero.http.middleware import install
from llamero.http.policy import AccessPolicy, response_headers
from llamero.http.server import CONNECTION_OPTIONS, ConnectionOptions
from llamero.infrastructure.clock import SystemClock
from llamero.models.errors import LlameroError


def create_gateway(
    services: GatewayServices,
    policy: AccessPolicy,
    messages: Callable[[LlameroError], str],
    limits: Limits | None = None,
    counts: Counts | None = None,
) -> web.Application:
    """Build the gateway. `messages` returns the text of an error for a person. Serve it by `GatewayServer`.

    `counts` may be shared with others who ask models, so that `/metrics` tells of them, too.
    """
    limits = limits or Limits()
    counts = counts or Counts()
    measured = MeasuredInference(services.inference, counts, ModelLabels(services.servers))
    services = replace(services, inference=measured)
    envelope = ErrorEnvelope(messages)
    slots = StreamSlots(limits.max_streams)
    surface = Surface(services=services, envelope=envelope, slots=slots, limits=limits)
    anthropic = AnthropicErrors(messages)
    ollama = OllamaErrors(messages)
    dialects = DialectErrors(envelope, {Dialect.ANTHROPIC: anthropic, Dialect.OLLAMA: ollama})
    errors = CountedErrors(dialects, counts)
    app = web.Application()
    app[CONNECTION_OPTIONS] = ConnectionOptions(limits, errors, response_headers(policy, None))
    install(app, policy, errors)
    if services.inspection is not None:
        install_inspection(app, services.inspection)
    install_access(app, services.access)
    install_counting(app, counts)

    async def health(request: web.Request) -> web.Response:
        running = services.servers.status().servers
        servers = [{"model": server.model.alias, "state": server.phase.value} for server in running]
        return json_response({"status": "ok", "version": __version__, "servers": servers})

    async def end_streams(_: web.Application) -> None:
        slots.close()

    app.router.add_get("/health", health, expect_handler=expect_later)
    OpenAiRoutes(surface).install(app)
    LlamaCppRoutes(surface).install(app)
    AnthropicRoutes(surface, anthropic).install(app)
    clock = SystemClock()
    OllamaRoutes(surface, ollama, clock).install(app)
    OllamaModelRoutes(surface, clock).install(app)
    MetricsRoute(Exposition(counts, services.servers, services.hardware, lambda: len(slots))).install(app)
    if services.responses is not None:
        ResponsesRoutes(surface, services.responses).install(app)
    DescriptionRoutes().install(app)
    app.on_shutdown.append(end_streams)
    return app
