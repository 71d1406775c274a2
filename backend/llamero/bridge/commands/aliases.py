"""Commands about the names that the user gave: models, remote servers, fallbacks."""

from __future__ import annotations

from collections.abc import Iterable

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.aliases import Alias, ApiModel
from llamero.models.bridge.gateway import AliasConditions, DeleteAlias, DeletedAlias, PausedName, SaveAlias, SavedAlias
from llamero.services.alias_editor import Notice


@command("list_aliases")
async def list_aliases(context: Context) -> tuple[Alias, ...]:
    """Every alias, in its order. Keys are not among it. Raises IoFailed."""
    return await context.services.aliases.listed()


@command("get_alias_conditions")
async def get_alias_conditions(context: Context) -> AliasConditions:
    """How the servers and targets do that names lead to. Nobody is asked for it. Raises IoFailed."""
    services = context.services
    apis = [alias for alias in await services.aliases.listed() if isinstance(alias, ApiModel)]
    paused = [
        PausedName(name=one.target, until=one.until, reason=services.sentence(one.code, one.arguments))
        for one in services.paused()
    ]
    return AliasConditions(keys=dict(await services.key_states.of(apis)), paused=tuple(paused))


@command("save_alias")
async def save_alias(context: Context, arguments: SaveAlias) -> SavedAlias:
    """Keep an alias. Raises InvalidRequest with the field at fault, NotFound, Conflict or IoFailed."""
    saved, notices = await context.services.aliases.save(
        arguments.alias, key=arguments.key, former=arguments.former, place=arguments.place
    )
    return SavedAlias(alias=saved, notices=_sentences(context, notices))


@command("delete_alias")
async def delete_alias(context: Context, arguments: DeleteAlias) -> DeletedAlias:
    """Know an alias, and its key, no longer. Raises NotFound, Conflict or IoFailed."""
    notices = await context.services.aliases.remove(arguments.name)
    return DeletedAlias(notices=_sentences(context, notices))


def _sentences(context: Context, notices: Iterable[Notice]) -> tuple[str, ...]:
    return tuple([context.services.sentence(notice.code, notice.arguments) for notice in notices])
