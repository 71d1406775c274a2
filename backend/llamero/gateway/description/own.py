"""Llamero's own routes."""

from __future__ import annotations

from typing import Literal

import msgspec

from llamero.gateway.description.fields import Object
from llamero.gateway.description.operations import Operation
from llamero.models.llama import ServerPhase


class HealthServer(msgspec.Struct, frozen=True, kw_only=True):
    """An engine, and how it stands."""

    model: str
    state: ServerPhase


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """That Llamero runs, and which engines do."""

    status: Literal["ok"]
    version: str
    servers: list[HealthServer]


class OpenApiDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document of OpenAPI 3.1."""

    openapi: str
    info: Object
    paths: Object
    components: Object


OPERATIONS = (
    Operation(
        route="GET /health", summary="Whether Llamero runs", text="Answers while models load, too.", response=Health
    ),
    Operation(
        route="GET /metrics",
        summary="Numbers for Prometheus",
        text="Requests, times, tokens, engines and the machine as it was last measured. A scrape asks no sensor.",
        content="text/plain",
    ),
    Operation(route="GET /openapi.json", summary="This description, for programs", response=OpenApiDocument),
    Operation(route="GET /docs", summary="This description, for people", content="text/html"),
    Operation(route="GET /docs/style.css", summary="How that page looks", content="text/css"),
)
