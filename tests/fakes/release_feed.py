"""A release server of a test: real HTTP on loopback, files signed by a key of the test's own as minisign does it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from llamero.infrastructure.updates.channel import UpdateChannel

PACKAGE = b"a package " * 100_000
TARGET = "linux-x86_64-deb"
NAME = "llamero_0.2.0_amd64.deb"


class Signer:
    """A key, as minisign keeps it."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._number = b"12345678"

    @property
    def public(self) -> str:
        """The second line of a `.pub` file."""
        return base64.b64encode(b"Ed" + self._number + self._key.public_key().public_bytes_raw()).decode()

    def sign(self, content: bytes, comment: str = "timestamp:1") -> str:
        """A `.minisig` file."""
        signature = self._key.sign(hashlib.blake2b(content).digest())
        overall = base64.b64encode(self._key.sign(signature + comment.encode())).decode()
        first = base64.b64encode(b"ED" + self._number + signature).decode()
        return f"untrusted comment: a test\n{first}\ntrusted comment: {comment}\n{overall}\n"


class ReleaseFeed:
    """What the server has: a test changes it while it runs."""

    def __init__(self) -> None:
        self.signer = Signer()
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.requests: list[web.Request] = []
        self.cuts: list[int] = []
        """The first so many answers with a package are cut after so many bytes."""
        self.ranges = True
        """Does the server know about ranges?"""
        self.origin = ""

    @property
    def channel(self) -> UpdateChannel:
        return UpdateChannel(feed=f"{self.origin}/latest.json", key=self.signer.public, loopback=True)

    def release(self, version: str = "0.2.0", *, package: bytes = PACKAGE, **file: Any) -> None:
        """Publish a release; `file` says otherwise about its package than what is true."""
        told = {
            "name": NAME,
            "target": TARGET,
            "url": f"{self.origin}/{NAME}",
            "size": len(package),
            "sha256": hashlib.sha256(package).hexdigest(),
            **file,
        }
        self.files[f"/{NAME}"] = package
        page = f"https://example.com/releases/{version}"
        self.publish(msgspec.json.encode({"version": version, "page": page, "files": [told]}))

    def publish(self, feed: bytes, signature: str | None = None) -> None:
        """Put a feed there, signed unless it is said how."""
        self.files["/latest.json"] = feed
        self.files["/latest.json.minisig"] = (self.signer.sign(feed) if signature is None else signature).encode()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        if request.path in self.redirects:
            return web.Response(status=302, headers={"Location": self.redirects[request.path]})
        if request.path not in self.files:
            return web.Response(status=404)
        if request.path == f"/{NAME}":
            return await self._package(request)
        return web.Response(body=self.files[request.path])

    async def _package(self, request: web.Request) -> web.StreamResponse:
        content = self.files[request.path]
        start = int(request.headers.get("Range", "bytes=0-")[6:-1]) if self.ranges else 0
        if start >= len(content) > 0:
            return web.Response(status=416)
        response = web.StreamResponse(status=206 if start else 200)
        response.content_length = len(content) - start
        if start:
            response.headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        await response.prepare(request)
        cut = self.cuts.pop(0) if self.cuts else None
        await response.write(content[start:][:cut])
        if cut is not None and request.transport is not None:
            request.transport.close()
        return response


@asynccontextmanager
async def release_feed() -> AsyncIterator[ReleaseFeed]:
    """Serve releases on a loopback port."""
    feed = ReleaseFeed()
    app = web.Application()
    app.router.add_get("/{path:.*}", feed._answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    feed.origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield feed
    finally:
        await runner.cleanup()
