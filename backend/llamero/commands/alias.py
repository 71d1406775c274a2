"""`llamero alias …`: the names of models and remote servers.

It works on the database, beside a running Llamero, which minds it with its next request, and without one. stdout gets
what was asked for and nothing else; what was done and what is doubtful goes to stderr. A key comes from a file or the
environment, never from the command line, and is never shown; neither is an extra header that looks like one.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import msgspec
from msgspec.structs import replace

from llamero.application import known_models
from llamero.commands.alias_forms import api_model, fallback_alias, leads_to, user_alias
from llamero.commands.options import Options, prepare
from llamero.commands.report import say
from llamero.infrastructure.api_keys import read_api_key
from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.plain_text import one_line
from llamero.infrastructure.remote_keys import RemoteKeys
from llamero.infrastructure.secret_masking import masked_headers
from llamero.infrastructure.storage.aliases import AliasStore
from llamero.infrastructure.storage.database import Database
from llamero.models.aliases import Alias, ApiModel
from llamero.services.alias_editor import AliasEditor, Notice
from llamero.services.aliases import AliasBook
from llamero.services.routing import Router

KEY_VARIABLE = "LLAMERO_REMOTE_KEY"


def alias(options: Options) -> int:
    """Do what the action says. Raises LlameroError."""
    return asyncio.run(_alias(options))


async def _alias(options: Options) -> int:
    async with _opened(options) as (book, editor):
        match options.action:
            case "list":
                _list([_shown(one) for one in (await book.current()).aliases], as_json=options.json)
            case "show":
                _show(_shown(await book.get(options.name)), as_json=options.json)
            case "remove":
                notices = await editor.remove(options.name)
                _report("alias-removed", options.name, notices)
            case "rename":
                _report_saved(*await editor.rename(options.name, options.new_name))
            case "set":
                _report_saved(*await editor.save(user_alias(options)))
            case "fallback":
                _report_saved(*await editor.save(fallback_alias(options)))
            case _:
                key = read_api_key(options.key_file, os.environ, KEY_VARIABLE)
                _report_saved(*await editor.save(api_model(options), key=key))
    return 0


@asynccontextmanager
async def _opened(options: Options) -> AsyncIterator[tuple[AliasBook, AliasEditor]]:
    ground = prepare(options, {}, console_level="error")
    database = await Database.open(ground.paths.database)
    store = AliasStore(database)
    try:
        book = AliasBook(store)
        catalog, discovery = await known_models(ground.paths, ground.resolved.settings, database, SystemClock())
        router = Router(catalog, book, discovery=discovery)
        yield book, AliasEditor(book, RemoteKeys(ground.paths.data_dir), router)
    finally:
        await database.close()


def _shown(alias: Alias) -> Alias:
    """The alias without the secrets among its headers."""
    return replace(alias, headers=masked_headers(alias.headers)) if isinstance(alias, ApiModel) else alias


def _list(aliases: Iterable[Alias], *, as_json: bool) -> None:
    if as_json:
        _write_json(list(aliases))
        return
    rows = [
        [one_line(alias.name), str(alias.__struct_config__.tag), one_line(leads_to(alias), 100)] for alias in aliases
    ]
    if not rows:
        say(f"llamero: {default_messages().text('alias-none')}")
        return
    rows.insert(0, [default_messages().text(f"alias-column-{column}") for column in ("name", "kind", "leads")])
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write(f"{line.rstrip()}\n")


def _show(alias: Alias, *, as_json: bool) -> None:
    if as_json:
        _write_json(alias)
        return
    for field, value in msgspec.to_builtins(alias).items():
        if value or (value == 0 and value is not False):
            shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
            sys.stdout.write(f"{field}: {one_line(shown)}\n")


def _write_json(document: object) -> None:
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document)).decode() + "\n")


def _report_saved(alias: Alias, notices: Iterable[Notice]) -> None:
    _report("alias-saved", alias.name, notices)


def _report(done: str, name: str, notices: Iterable[Notice]) -> None:
    for notice in (Notice(done, {"name": name}), *notices):
        say(f"llamero: {default_messages().text(notice.code, notice.arguments)}")
