"""Commands about the way in for other programs: where the gateway is, and the keys that they use."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.access import ApiKey, GatewayState, NewApiKey
from llamero.models.bridge.gateway import CreateApiKey, RevokeApiKey


@command("get_gateway")
async def get_gateway(context: Context) -> GatewayState | None:
    """Where other programs find the gateway; None while it is not open yet."""
    return context.services.gateway()


@command("create_api_key")
async def create_api_key(context: Context, arguments: CreateApiKey) -> NewApiKey:
    """Make a key; the page is told its secret this once. Raises Conflict where the name is taken."""
    return await context.services.api_keys.create(arguments)


@command("list_api_keys")
async def list_api_keys(context: Context) -> tuple[ApiKey, ...]:
    """Every key that was not revoked, in the order in which they were made."""
    return await context.services.api_keys.listed()


@command("revoke_api_key")
async def revoke_api_key(context: Context, arguments: RevokeApiKey) -> ApiKey:
    """Let nobody in with a key any more. Raises NotFound."""
    return await context.services.api_keys.revoke(arguments.name)
