"""What the routes of every dialect work with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from aiohttp import web

from llamero.gateway.access import Access
from llamero.gateway.errors import ErrorEnvelope
from llamero.gateway.inspection import Inspection
from llamero.gateway.limits import Limits
from llamero.gateway.protocols import Hardware, Inference, ModelFiles, Models, Responses, Servers
from llamero.gateway.slots import StreamSlots


@dataclass(frozen=True, kw_only=True)
class GatewayServices:
    """What the gateway is built around. Without a database nothing is kept: then `responses` is None.

    Where nobody can look at requests, `inspection` is None.
    """

    inference: Inference
    models: Models
    servers: Servers
    access: Access
    hardware: Hardware
    files: ModelFiles
    responses: Responses | None = None
    inspection: Inspection | None = None


@dataclass(frozen=True, kw_only=True)
class Surface:
    """The services, and what all requests of one gateway share."""

    services: GatewayServices
    envelope: ErrorEnvelope
    slots: StreamSlots
    limits: Limits


def json_response(document: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with a document that msgspec can write as JSON."""
    return web.Response(
        status=status, body=msgspec.json.encode(document), content_type="application/json", headers=headers
    )
