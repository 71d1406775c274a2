"""The gateway of the fake: names under the real rules, keys that are made and revoked."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

from llamero.models.access import ApiKey, GatewayState, NewApiKey, Scope
from llamero.models.aliases import Alias, ApiModel, FallbackAlias, UserAlias
from llamero.models.bridge import gateway
from llamero.models.errors import Conflict
from llamero.services.alias_rules import checked

if TYPE_CHECKING:
    from tests.fakes.fake_bridge.scenarios import World
    from tests.fakes.fake_bridge.server import FakeBridge

ARGUMENTS: dict[str, type] = {
    "save_alias": gateway.SaveAlias,
    "delete_alias": gateway.DeleteAlias,
    "create_api_key": gateway.CreateApiKey,
    "revoke_api_key": gateway.RevokeApiKey,
}


def some_aliases() -> list[Alias]:
    """One of each kind, as a person has them after a while."""
    return [
        UserAlias(
            name="house",
            file="/home/me/models/Qwen3-4B-Q4_K_M.gguf",
            defaults={"temperature": 0.7},
            system_prompt="Be brief.",
            context_length=16384,
        ),
        ApiModel(name="far", base_url="https://api.example.com/v1", prefix="far/", models=("large-model",)),
        FallbackAlias(name="whatever-works", targets=("far/large-model", "house", "gone")),
    ]


def some_keys() -> list[ApiKey]:
    """One that is used every day and one that never was."""
    now = time.time()
    return [
        ApiKey(
            id="k1",
            name="editor",
            start="lla_9f3a",
            scopes=(Scope.INFERENCE,),
            created_at=now - 9e5,
            last_used_at=now - 300,
            requests_per_minute=60,
            streams=2,
        ),
        ApiKey(id="k2", name="nightly job", start="lla_c07e", scopes=tuple(Scope), created_at=now - 4e5),
    ]


class GatewayCommands:
    """The commands about names and keys."""

    fake: FakeBridge
    world: World

    def get_gateway(self) -> GatewayState:
        return self.world.gateway

    def list_aliases(self) -> list[Alias]:
        return self.world.aliases

    def get_alias_conditions(self) -> gateway.AliasConditions:
        return self.world.conditions

    def save_alias(self, args: gateway.SaveAlias) -> gateway.SavedAlias:
        aliases = self.world.aliases
        former = args.former or args.alias.name
        saved = checked(args.alias, [one for one in aliases if one.name != former])
        known = any(one.name == former for one in aliases)
        aliases = [saved if one.name == former else one for one in aliases] if known else [*aliases, saved]
        if args.place is not None:
            aliases.remove(saved)
            aliases.insert(args.place, saved)
        self.world.aliases = aliases
        return gateway.SavedAlias(alias=saved)

    def delete_alias(self, args: gateway.DeleteAlias) -> gateway.DeletedAlias:
        self.world.aliases = [one for one in self.world.aliases if one.name != args.name]
        return gateway.DeletedAlias()

    def list_api_keys(self) -> list[ApiKey]:
        return self.world.keys

    def create_api_key(self, args: gateway.CreateApiKey) -> NewApiKey:
        if any(key.name == args.name for key in self.world.keys):
            raise Conflict("key_error-name_taken", param="name", name=args.name)
        secret = f"lla_{secrets.token_urlsafe(24)}"
        key = ApiKey(
            id=secret[-8:],
            name=args.name,
            start=secret[:8],
            scopes=args.scopes,
            created_at=time.time(),
            expires_at=None if args.days is None else time.time() + args.days * 86400,
            requests_per_minute=args.requests_per_minute,
            streams=args.streams,
        )
        self.world.keys = [*self.world.keys, key]
        return NewApiKey(secret=secret, key=key)

    def revoke_api_key(self, args: gateway.RevokeApiKey) -> ApiKey:
        revoked = next(key for key in self.world.keys if key.name == args.name)
        self.world.keys = [key for key in self.world.keys if key.name != args.name]
        return revoked
