"""The keys of remote servers: in the system's keyring, or where there is none in a file for the user alone (0600).

Invariants: a key is never in the database, in an argument or in a log; a keyring that hangs, as one does that waits for
its password, delays nobody longer than `TIMEOUT_S`; a key that was kept in the file is still found once there is a
keyring. Each data directory has keys of its own. Nothing of `keyring` is imported before a key is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from llamero.infrastructure.daemon_call import in_daemon_thread
from llamero.infrastructure.key_names import KeyNames
from llamero.infrastructure.private_file import read_private_file, write_private_file
from llamero.infrastructure.secret_masking import register_secret
from llamero.models.errors import InvalidRequest, IoFailed, LlameroError, Unavailable
from llamero.models.remote import KeyPlace

FILE_NAME = "remote-keys.json"
TIMEOUT_S = 10.0
FRESH_S = 5.0  # a key that another process has changed, as the command line does, is noticed after this
LONGEST_KEY = 4096

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class Keyring(Protocol):
    """What is asked of a backend of `keyring`."""

    def get_password(self, service: str, username: str) -> str | None: ...  # noqa: D102
    def set_password(self, service: str, username: str, password: str) -> None: ...  # noqa: D102
    def delete_password(self, service: str, username: str) -> None: ...  # noqa: D102


def system_keyring() -> Keyring | None:
    """Return the system's keyring; None where there is none, or only one that keeps secrets in plain text."""
    from keyring import get_keyring  # slow to import, and looks for a session bus
    from keyring.backends import fail, null

    found = get_keyring()
    if isinstance(found, fail.Keyring | null.Keyring) or found.priority < 1:
        return None
    return found


class RemoteKeys:
    """The keys of one data directory, by the names of their API models."""

    def __init__(
        self,
        directory: Path,
        *,
        find_keyring: Callable[[], Keyring | None] = system_keyring,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.file = directory / FILE_NAME
        """Where keys are without a keyring."""
        self.service = f"Llamero ({directory})"
        """Under what a keyring has them."""
        self._names = KeyNames(directory)
        self._find_keyring = find_keyring
        self._timeout_s = timeout_s
        self._looking = asyncio.Lock()
        self._looked = False
        self._keyring: Keyring | None = None
        self._known: dict[str, tuple[str, float]] = {}

    async def where(self) -> KeyPlace:
        """Return where keys are put now, for the user to know."""
        return KeyPlace.FILE if await self._found() is None else KeyPlace.KEYRING

    async def get(self, name: str) -> str | None:
        """Return the key of the API model of that name, None where it has none.

        Raises Unavailable when the keyring does not answer, IoFailed when the keyring or the file cannot be read.
        """
        known = self._known.get(name)
        if known is not None and time.monotonic() - known[1] < FRESH_S:
            return known[0]
        keyring = await self._found()
        key = None
        if keyring is not None:
            key = await self._ask("get", lambda: keyring.get_password(self.service, name))
        if key is None:
            key = (await asyncio.to_thread(self._read)).get(name)
        if key is not None:
            self._remember(name, key)
        return key

    def in_file(self) -> tuple[str, ...]:
        """The keys that are kept in our own file, for masking them. Raises IoFailed."""
        return tuple(self._read().values())

    async def set(self, name: str, key: str) -> None:
        """Keep a key, in the place of the former one.

        Raises InvalidRequest when it could not stand in a header, and what `get` raises.
        """
        if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and " " not in key):
            raise InvalidRequest("remote_error-bad_key", param="key")
        keyring = await self._found()
        if keyring is None:
            await self._change_file(name, key)
        else:
            await self._note(name, there=True)
            await self._ask("set", lambda: keyring.set_password(self.service, name, key))
            await self._change_file(name, None)
        self._remember(name, key)

    async def remove(self, name: str) -> None:
        """Forget a key; without effect where there is none. Raises what `get` raises."""
        keyring = await self._found()
        if keyring is not None:
            kept = await self._ask("get", lambda: keyring.get_password(self.service, name))
            if kept is not None:
                await self._ask("remove", lambda: keyring.delete_password(self.service, name))
            await self._note(name, there=False)
        await self._change_file(name, None)
        self._known.pop(name, None)

    async def forget_all(self, others: Iterable[str]) -> frozenset[str]:
        """Forget every key that the keyring has of ours, and those of `others`; returns whose may be there still.

        Raises IoFailed when it cannot be read which there are; the keys of `others` are forgotten then all the same.
        """
        try:
            noted, unknown = await asyncio.to_thread(self._names.read), None
        except OSError as error:
            noted, unknown = frozenset[str](), error
        left = noted if noted and await self._found() is None else frozenset[str]()
        for name in sorted(noted.union(others) - left):
            try:
                await self.remove(name)
            except LlameroError as error:
                logger.warning("a key stays in the keyring: %s", error)
                left |= {name}
        if unknown is not None:
            raise IoFailed("remote_error-key_file", path=str(self._names.file), reason=str(unknown)) from unknown
        return left

    def _remember(self, name: str, key: str) -> None:
        register_secret(key)
        self._known[name] = key, time.monotonic()

    async def _found(self) -> Keyring | None:
        """Return the keyring, looked for once. One that does not answer counts as none until the next start."""
        async with self._looking:
            if not self._looked:
                try:
                    self._keyring = await _in_thread(self._find_keyring, self._timeout_s)
                except Exception as error:  # whatever a backend does on a machine that it was not made for
                    logger.warning("the system's keyring cannot be used: %s", type(error).__name__)
                self._looked = True
        return self._keyring

    async def _ask(self, what: str, call: Callable[[], _Result]) -> _Result:
        try:
            return await _in_thread(call, self._timeout_s)
        except TimeoutError:
            raise Unavailable("remote_error-keyring_silent", seconds=round(self._timeout_s)) from None
        except LlameroError:
            raise
        except Exception as error:  # each backend has errors of its own, and their texts may hold the key
            raise IoFailed("remote_error-keyring", what=what, reason=type(error).__name__) from None

    async def _note(self, name: str, *, there: bool) -> None:
        async with self._looking:
            try:
                await asyncio.to_thread(self._names.change, name, there=there)
            except OSError as error:
                reason = error.strerror or ""
                raise IoFailed("remote_error-key_file", path=str(self._names.file), reason=reason) from error

    def _read(self) -> dict[str, str]:
        content = read_private_file(self.file)
        if content is None:
            if self.file.exists():
                raise IoFailed("remote_error-key_file", path=str(self.file), reason="")
            return {}
        try:
            return msgspec.json.decode(content, type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise IoFailed("remote_error-key_file", path=str(self.file), reason="") from None

    async def _change_file(self, name: str, key: str | None) -> None:
        async with self._looking:
            await asyncio.to_thread(self._change_file_now, name, key)

    def _change_file_now(self, name: str, key: str | None) -> None:
        kept = self._read()
        if kept.get(name) == key:
            return
        kept.pop(name, None)
        if key is not None:
            kept[name] = key
        try:
            if kept:
                write_private_file(self.file, msgspec.json.encode(kept))
            else:
                self.file.unlink(missing_ok=True)
        except OSError as error:
            raise IoFailed("remote_error-key_file", path=str(self.file), reason=error.strerror or "") from error


async def _in_thread(call: Callable[[], _Result], timeout_s: float) -> _Result:
    """Run a call that may never return. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        return await in_daemon_thread(call, "keyring")
