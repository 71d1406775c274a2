"""Fetches a feed and a package: over https alone, wherever redirects lead, and never more bytes than were promised.

Nothing about the user goes out but the address that asks and Llamero's name. What is fetched is believed only once it
is verified: the feed by its signature before it is read, a package by its size and digest before it gets its name.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import aiohttp
import msgspec
from yarl import URL

from llamero.infrastructure.updates.channel import UpdateChannel
from llamero.infrastructure.updates.signature import NotSigned, verify
from llamero.models.errors import IoFailed, UpstreamFailed
from llamero.models.updates import Release, ReleaseFile

logger = logging.getLogger(__name__)

FEED_LIMIT, SIGNATURE_LIMIT = 256 * 1024, 4096
MAX_REDIRECTS = 5
PIECE = 256 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=15.0, sock_read=30.0)
SIGNATURE_SUFFIX = ".minisig"
PART_SUFFIX = ".part"
_WHOLE, _PARTIAL, _NO_SUCH_RANGE = 200, 206, 416
_ANSWERS_TO_RANGE = frozenset({_PARTIAL, _NO_SUCH_RANGE})  # the latter ends as what is not the announced file
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_HEADERS = {"User-Agent": "Llamero", "Accept-Encoding": "identity"}


class UpdateClient:
    """Asks one channel."""

    def __init__(self, channel: UpdateChannel) -> None:
        self._channel = channel

    async def newest(self) -> Release:
        """What the feed says. Raises UpstreamFailed for a feed that is not there, not signed, or makes no sense."""
        feed = self._channel.feed
        async with self._session() as session:
            content = await self._small(session, feed, FEED_LIMIT)
            signature = await self._small(session, feed + SIGNATURE_SUFFIX, SIGNATURE_LIMIT)
        try:
            verify(content, signature.decode("utf-8", "replace"), self._channel.key)
        except NotSigned as error:
            logger.warning("the release feed is not believed: %s", error)
            raise UpstreamFailed("update_error-not_signed") from None
        try:
            return msgspec.json.decode(content, type=Release)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            logger.warning("the release feed cannot be read: %s", error)
            raise UpstreamFailed("update_error-unreadable") from None

    async def fetch(self, file: ReleaseFile, folder: Path, progress: Callable[[int], None]) -> Path:
        """Put a package into a folder under its own name, whole and verified; returns where it is.

        What came before the connection was cut stays, and the next attempt goes on after it; what is not the announced
        file, or cannot be written, is removed. Raises UpstreamFailed and IoFailed.
        """
        # The digest is part of the name, so what is left of another file of the same name is never gone on with.
        final, part = folder / file.name, folder / f"{file.name}.{file.sha256[:16]}{PART_SUFFIX}"
        try:
            await asyncio.to_thread(_make_room, folder, part)
            async with self._session() as session:
                await self._complete(session, file, part, progress)
            await asyncio.to_thread(part.replace, final)
        except (aiohttp.ClientError, TimeoutError) as error:
            logger.info("the download of %s was cut: %s", file.name, error)
            raise UpstreamFailed("update_error-cut_off", name=file.name) from error
        except UpstreamFailed:
            if not await asyncio.to_thread(_has_content, part):
                _remove(part)
            raise
        except OSError as error:
            _remove(part)
            raise IoFailed("update_error-not_saved", path=str(folder), reason=error.strerror or str(error)) from error
        return final

    async def _complete(
        self, session: aiohttp.ClientSession, file: ReleaseFile, part: Path, progress: Callable[[int], None]
    ) -> None:
        """Fetch what is missing of a file. Whatever a server answers, only the announced digest makes it whole."""
        # As it lies in a folder that others may write into, a link that stands there already is not followed.
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(part, flags, 0o600), "r+b") as out:
            digest = await asyncio.to_thread(hashlib.file_digest, out, "sha256")
            have = out.tell()
            if have < file.size:
                async with self._opened(session, file.url, after=have) as response:
                    if response.status != _PARTIAL:
                        digest, have = hashlib.sha256(), 0
                        out.seek(0)
                        out.truncate()
                    async for piece in response.content.iter_chunked(PIECE):
                        have += len(piece)
                        if have > file.size:
                            break
                        await asyncio.to_thread(out.write, piece)
                        digest.update(piece)
                        progress(have)
                await asyncio.to_thread(_to_disk, out)
        if have != file.size or digest.hexdigest() != file.sha256:
            _remove(part)
            raise UpstreamFailed("update_error-wrong_digest", name=file.name)

    async def _small(self, session: aiohttp.ClientSession, url: str, limit: int) -> bytes:
        content = b""
        try:
            async with self._opened(session, url) as response:
                async for piece in response.content.iter_any():
                    content += piece
                    if len(content) > limit:
                        raise UpstreamFailed("update_error-too_large")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            logger.info("releases cannot be looked for: %s", error)
            raise UpstreamFailed("update_error-unreachable") from error
        return content

    @asynccontextmanager
    async def _opened(
        self, session: aiohttp.ClientSession, url: str, after: int = 0
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Ask for what follows so many bytes; a server may answer with all of it.

        Redirects are followed by hand: each of them must be as safe as the first address.
        """
        address = self._safe(url)
        headers = {"Range": f"bytes={after}-"} if after else {}
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(address, headers=headers, allow_redirects=False) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    try:
                        address = self._safe(str(address.join(URL(response.headers["Location"]))))
                    except ValueError:
                        raise UpstreamFailed("update_error-insecure") from None
                    continue
                if response.status != _WHOLE and not (after and response.status in _ANSWERS_TO_RANGE):
                    logger.info("releases cannot be looked for: %s says %s", address.host, response.status)
                    raise UpstreamFailed("update_error-unreachable")
                yield response
                return
        raise UpstreamFailed("update_error-unreachable")

    def _safe(self, url: str) -> URL:
        """Raises UpstreamFailed for an address that is not https."""
        try:
            address = URL(url)
        except ValueError:
            raise UpstreamFailed("update_error-insecure") from None
        here = self._channel.loopback and address.scheme == "http" and address.host in _LOOPBACK
        if not here and (address.scheme != "https" or not address.host or address.user is not None):
            raise UpstreamFailed("update_error-insecure")
        return address

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=TIMEOUT, headers=_HEADERS, cookie_jar=jar) as session:
            yield session


def _make_room(folder: Path, part: Path) -> None:
    """Make the folder, without what was begun of other releases. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for other in folder.glob(f"*{PART_SUFFIX}"):
        if other != part:
            other.unlink(missing_ok=True)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _has_content(path: Path) -> bool:
    with suppress(OSError):
        return path.stat().st_size > 0
    return False


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
