"""Large bodies: `PUT /bridge/blob` takes one and gives a handle, `GET /bridge/blob/<handle>` gives it back.

Invariants: a body is written as it arrives and never held in memory; the number of blobs, the size of each and of all
are bounded; a handle is random, says nothing about where the bytes lie, and ends after a while. What is sent back is
never taken for a page or a script, whatever it is.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
import time
from collections.abc import AsyncIterable
from pathlib import Path

import msgspec
from aiohttp import web

from llamero.bridge.tokens import Tokens
from llamero.http.bodies import body_pieces
from llamero.infrastructure.temporary_area import TemporaryArea, TemporaryFile
from llamero.models.bridge.window import BlobHandle
from llamero.models.errors import IoFailed, NotFound, PayloadTooLarge, RateLimited

MEBIBYTE = 1024 * 1024
# Pieces arrive in kilobytes; each write is a trip to a thread.
_WRITE_BYTES = 256 * 1024


class BlobLimits(msgspec.Struct, frozen=True, kw_only=True):
    """Sizes in bytes, times in seconds. `silence_s`: for how long an upload may stand still."""

    max_blob: int = 256 * MEBIBYTE
    max_total: int = 1024 * MEBIBYTE
    max_blobs: int = 64
    lifetime_s: float = 600.0
    silence_s: float = 30.0


class BlobStore:
    """The blobs of this launch."""

    def __init__(self, area: TemporaryArea, limits: BlobLimits | None = None) -> None:
        self.limits = limits or BlobLimits()
        self._area = area
        self._files: dict[str, TemporaryFile] = {}
        self._sizes: dict[str, int] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._prepared: asyncio.Task[None] | None = None

    async def receive(self, pieces: AsyncIterable[bytes]) -> BlobHandle:
        """Keep a body. Raises PayloadTooLarge, RateLimited when there are too many, IoFailed."""
        if len(self._sizes) >= self.limits.max_blobs:
            raise RateLimited("bridge_error-blobs_full", limit=self.limits.max_blobs, retry_after=10.0)
        handle = secrets.token_urlsafe(32)
        self._sizes[handle] = 0
        file: TemporaryFile | None = None
        try:
            if self._prepared is None:
                self._prepared = asyncio.create_task(asyncio.to_thread(self._area.prepare))
            await asyncio.shield(self._prepared)
            file = await asyncio.to_thread(self._area.create)
            await self._write(handle, file, pieces)
            await asyncio.to_thread(file.finish)
        except BaseException:
            del self._sizes[handle]
            if self._prepared is not None and self._prepared.done() and not self._prepared.cancelled():
                self._prepared = None if self._prepared.exception() else self._prepared
            if file is not None:
                file.discard()
            raise
        self._files[handle] = file
        lifetime = self.limits.lifetime_s
        self._timers[handle] = asyncio.get_running_loop().call_later(lifetime, self.discard, handle)
        return BlobHandle(handle=handle, size=self._sizes[handle], expires_at=time.time() + lifetime)

    def path(self, handle: str) -> Path:
        """Where a blob lies, for a command that was given its handle. Raises NotFound."""
        file = self._files.get(handle)
        if file is None:
            raise NotFound("bridge_error-no_such_blob")
        return file.path

    async def save(self, handle: str, place: Path) -> None:
        """Copy a blob to a place that the user chose, replacing what is there. Raises NotFound, IoFailed."""
        source = self.path(handle)
        try:
            await asyncio.to_thread(shutil.copyfile, source, place)
        except OSError as error:
            raise IoFailed(reason=error.strerror or type(error).__name__) from error

    async def take(self, handle: str, limit: int) -> bytes:
        """Read a blob that ends with that. Raises NotFound, IoFailed, and PayloadTooLarge without reading it."""
        path = self.path(handle)
        try:
            if self._sizes[handle] > limit:
                raise PayloadTooLarge(limit=limit)
            return await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise IoFailed(reason=error.strerror or type(error).__name__) from error
        finally:
            self.discard(handle)

    def discard(self, handle: str) -> None:
        """Remove a blob. Unknown ones are ignored."""
        file = self._files.pop(handle, None)
        if file is not None:
            self._timers.pop(handle).cancel()
            del self._sizes[handle]
            file.discard()

    def close(self) -> None:
        """Remove every blob."""
        for handle in list(self._files):
            self.discard(handle)

    async def _write(self, handle: str, file: TemporaryFile, pieces: AsyncIterable[bytes]) -> None:
        buffer = bytearray()
        async for piece in pieces:
            self._sizes[handle] += len(piece)
            if self._sizes[handle] > self.limits.max_blob:
                raise PayloadTooLarge(limit=self.limits.max_blob)
            if sum(self._sizes.values()) > self.limits.max_total:
                raise RateLimited("bridge_error-blobs_full", limit=self.limits.max_total, retry_after=10.0)
            buffer += piece
            if len(buffer) >= _WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(buffer))
                buffer.clear()
        await asyncio.to_thread(file.write, bytes(buffer))


class BlobRoutes:
    """The two routes."""

    def __init__(self, blobs: BlobStore, tokens: Tokens) -> None:
        self._blobs = blobs
        self._tokens = tokens

    async def put(self, request: web.Request) -> web.Response:
        """Keep the body and answer with its handle."""
        self._tokens.of_request(request.headers)
        limits = self._blobs.limits
        kept = await self._blobs.receive(body_pieces(request, limits.max_blob, limits.silence_s))
        body = msgspec.json.encode(kept)
        return web.Response(body=body, content_type="application/json", headers={"Cache-Control": "no-store"})

    async def get(self, request: web.Request) -> web.StreamResponse:
        """Stream a blob."""
        self._tokens.of_request(request.headers)
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Disposition": "attachment",
            "Cache-Control": "no-store",
        }
        return web.FileResponse(self._blobs.path(request.match_info["handle"]), headers=headers)
