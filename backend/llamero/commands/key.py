"""`llamero key create|list|revoke`: the gateway's keys.

It writes to the database only, so it works beside a running Llamero, which minds it with its next request. stdout gets
the key or the table and nothing else, so that a script can take it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Sequence

import msgspec

from llamero.commands.options import Options, prepare
from llamero.commands.report import say
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.plain_text import one_line
from llamero.infrastructure.storage.api_keys import ApiKeyStore
from llamero.infrastructure.storage.database import Database
from llamero.models.access import ApiKey, KeyTerms, Scope
from llamero.models.errors import InvalidRequest


def key(options: Options) -> int:
    """Do what the action says. Raises LlameroError."""
    return asyncio.run(_key(options))


async def _key(options: Options) -> int:
    ground = prepare(options, {}, console_level="error")
    database = await Database.open(ground.paths.database)
    store = ApiKeyStore(database, SystemClock())
    try:
        match options.action:
            case "create":
                await _create(store, options, open_here=not ground.resolved.settings.gateway.require_key)
            case "revoke":
                revoked = await store.revoke(options.name)
                say(f"llamero: {default_messages().text('key-revoked', {'name': revoked.name})}")
            case _:
                _show(await store.listed())
    finally:
        await database.close()
    return 0


async def _create(store: ApiKeyStore, options: Options, *, open_here: bool) -> None:
    created = await store.create(_terms(options))
    sys.stdout.write(f"{created.secret}\n")
    sys.stdout.flush()
    say(f"llamero: {default_messages().text('key-created', {'name': created.key.name})}")
    if open_here:
        say(f"llamero: {default_messages().text('key-open_here')}")


def _terms(options: Options) -> KeyTerms:
    """What was asked for. Raises InvalidRequest for a name that cannot be one; the parser has seen to the rest."""
    fields = {
        "name": options.name,
        "scopes": options.scope or [Scope.INFERENCE],
        "days": options.days,
        "requests_per_minute": options.rate,
        "streams": options.streams,
    }
    try:
        return msgspec.convert(fields, KeyTerms)
    except msgspec.ValidationError:
        raise InvalidRequest("key_error-invalid_name", name=one_line(options.name, 60)) from None


def _show(keys: Sequence[ApiKey]) -> None:
    if not keys:
        say(f"llamero: {default_messages().text('key-none')}")
        return
    columns = ("name", "start", "scopes", "rate", "streams", "created", "used", "expires")
    rows = [[default_messages().text(f"key-column-{column}") for column in columns], *map(_row, keys)]
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")


def _row(key: ApiKey) -> list[str]:
    return [
        key.name,
        f"{key.start}…",
        ",".join(key.scopes),
        _limit(key.requests_per_minute),
        _limit(key.streams),
        _day(key.created_at),
        _day(key.last_used_at),
        _day(key.expires_at),
    ]


def _limit(limit: int | None) -> str:
    return "-" if limit is None else str(limit)


def _day(at: float | None) -> str:
    return "-" if at is None else time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
