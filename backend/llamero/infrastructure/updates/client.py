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

        Raises UpstreamFailed, and IoFailed where it cannot be written. What was fetched of it is removed then.
        """
        final, part = folder / file.name, folder / f"{file.name}.part"
        try:
            await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
            async with self._session() as session:
                await self._save(session, file, part, progress)
            await asyncio.to_thread(part.replace, final)
        except OSError as error:
            if isinstance(error, aiohttp.ClientError | TimeoutError):
                raise UpstreamFailed("update_error-unreachable") from error
            raise IoFailed("update_error-not_saved", path=str(folder), reason=error.strerror or str(error)) from error
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)
        return final

    async def _save(
        self, session: aiohttp.ClientSession, file: ReleaseFile, part: Path, progress: Callable[[int], None]
    ) -> None:
        digest, received = hashlib.sha256(), 0
        # As it lies in a folder that others may write into, a link that stands there already is not followed.
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(part, flags, 0o600), "wb") as out:
            async with self._opened(session, file.url) as response:
                async for piece in response.content.iter_chunked(PIECE):
                    received += len(piece)
                    if received > file.size:
                        raise UpstreamFailed("update_error-wrong_digest", name=file.name)
                    await asyncio.to_thread(out.write, piece)
                    digest.update(piece)
                    progress(received)
            out.flush()
            await asyncio.to_thread(os.fsync, out.fileno())
        if received != file.size or digest.hexdigest() != file.sha256:
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
    async def _opened(self, session: aiohttp.ClientSession, url: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """Follow redirects by hand: each of them must be as safe as the first address."""
        address = self._safe(url)
        for _ in range(MAX_REDIRECTS + 1):
            async with session.get(address, allow_redirects=False) as response:
                if response.status in _REDIRECTS and "Location" in response.headers:
                    try:
                        address = self._safe(str(address.join(URL(response.headers["Location"]))))
                    except ValueError:
                        raise UpstreamFailed("update_error-insecure") from None
                    continue
                if response.status != 200:
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
