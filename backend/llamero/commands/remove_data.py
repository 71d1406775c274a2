"""`llamero remove-data`: everything that Llamero keeps on this machine, gone in one step, after a look at what that is.

Settings, conversations, logs, caches, engines and models; the keys of remote servers in the system's keyring; the entry
that starts Llamero at login. The program itself is for the system's own way of removing programs.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from llamero.commands.options import Options
from llamero.commands.report import FAILED, say
from llamero.infrastructure.data_dir_lock import is_held
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.own_files import own_files, remove_files, size_on_disk
from llamero.infrastructure.paths import Paths, find_paths
from llamero.models.errors import Conflict, LlameroError

if TYPE_CHECKING:
    from pathlib import Path

logger = logging.getLogger(__name__)

_YES = frozenset({"y", "yes"})


def remove_data(options: Options) -> int:
    """Show what there is, ask, and remove it. Raises Conflict while Llamero runs with it."""
    paths, messages = find_paths(options.data_dir), default_messages()
    if is_held(paths.run):
        raise Conflict("remove_error-in_use", path=str(paths.data_dir))
    found = own_files(paths, models=not options.keep_models)
    if not found:
        say(f"llamero: {messages.text('remove-nothing', {'path': str(paths.data_dir)})}")
        return 0
    for path in found:
        sys.stdout.write(f"{_size(path):>10}  {path}\n")
    sys.stdout.flush()
    if not options.yes and not _is_confirmed():
        say(f"llamero: {messages.text('remove-kept')}")
        return FAILED
    forgotten = asyncio.run(_forget_keys(paths))
    _forget_login(options)
    left = remove_files(paths, found)
    for path in left:
        say(f"llamero: {messages.text('remove-left', {'path': str(path)})}")
    say(f"llamero: {messages.text('remove-done')}")
    return FAILED if left or not forgotten else 0


def _is_confirmed() -> bool:
    """Ask; whoever is not there to answer has not agreed."""
    sys.stderr.write(f"{default_messages().text('remove-question')} ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in _YES


def _size(path: Path) -> str:
    megabytes = size_on_disk(path) / 1024**2
    return f"{megabytes / 1024:,.1f} GB" if megabytes >= 1000 else f"{megabytes:,.1f} MB"


async def _forget_keys(paths: Paths) -> bool:
    """Take the keys of remote servers out of the keyring; where that fails, say which are left, and where."""
    from llamero.infrastructure.remote_keys import RemoteKeys

    keys, messages = RemoteKeys(paths.data_dir), default_messages()
    try:
        left = await keys.forget_all(await _remote_models(paths))
    except LlameroError as error:  # the record is damaged
        logger.warning("the keys in the keyring are not known: %s", error)
        say(f"llamero: {messages.text('remove-keys_unknown', {'service': keys.service})}")
        return False
    if left:
        names = ", ".join(sorted(left))
        say(f"llamero: {messages.text('remove-keys_left', {'service': keys.service, 'names': names})}")
    return not left


async def _remote_models(paths: Paths) -> list[str]:
    """Whose keys there may be, as far as the database says so."""
    from llamero.infrastructure.storage.aliases import AliasStore
    from llamero.infrastructure.storage.database import Database
    from llamero.models.aliases import ApiModel
    from llamero.services.aliases import AliasBook

    if not paths.database.is_file():
        return []
    try:
        database = await Database.open(paths.database)
    except LlameroError as error:  # one that is broken is removed all the same
        logger.info("the database does not say which keys there are: %s", error)
        return []
    store = AliasStore(database)
    try:
        return [alias.name for alias in (await AliasBook(store).current()).aliases if isinstance(alias, ApiModel)]
    finally:
        await database.close()


def _forget_login(options: Options) -> None:
    from llamero.commands.desktop_life import login_entry

    entry = login_entry(options.data_dir)
    if entry is not None:
        with suppress(OSError):
            entry.apply(False)
