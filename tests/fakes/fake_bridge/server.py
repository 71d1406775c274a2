"""The wire of the fake: the page's files under its content policy, commands by POST, the resumable WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import WSMsgType, web

from tests.fakes.fake_bridge.commands import Commands, Refusal
from tests.fakes.fake_bridge.scenarios import World

ROOT = Path(__file__).resolve().parents[3]
DIST = ROOT / "frontend" / "dist"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Window:
    """One page: its numbered frames, kept so that a new socket can resume, and the socket that it has now."""

    def __init__(self) -> None:
        self.seq = 0
        self.frames: list[tuple[int, str]] = []
        self.socket: web.WebSocketResponse | None = None
        self.wake = asyncio.Event()

    def push(self, frame: dict[str, Any]) -> None:
        self.seq += 1
        self.frames.append((self.seq, json.dumps({"seq": self.seq, **msgspec.to_builtins(frame)})))
        self.wake.set()


class FakeBridge:
    """`rate` is in pieces per second, each of `world.piece` characters; 0 sends an answer at once."""

    def __init__(self, world: World, rate: float = 60) -> None:
        self.world = world
        self.rate = rate
        self.token = secrets.token_urlsafe(16)
        self.epoch = secrets.token_hex(4)
        self.windows: dict[str, Window] = {}
        self.blobs: dict[str, bytes] = {}
        self.commands = Commands(self)
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.accepting = True
        self.connections = 0
        self.runner: web.AppRunner | None = None
        self.port = 0

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.origin}/#t={self.token}"

    async def start(self, port: int = 0) -> None:
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/bridge/{command}", self._command)
        app.router.add_put("/bridge/blob", self._blob)
        app.router.add_get("/bridge/events", self._events)
        app.router.add_get("/{path:.*}", self._file)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self.runner.setup()
        site = web.TCPSite(self.runner, "127.0.0.1", port)
        await site.start()
        self.port = self.runner.addresses[0][1]
        self.sampler = asyncio.create_task(self._sample())

    async def stop(self) -> None:
        self.sampler.cancel()
        await self.commands.stop()
        await self.drop_connections()
        if self.runner:
            await self.runner.cleanup()

    async def drop_connections(self) -> None:
        """Cut every WebSocket, as a broken network would."""
        for window in self.windows.values():
            if window.socket:
                await window.socket.close()

    def event(self, name: str, data: object) -> None:
        for window in self.windows.values():
            window.push({"ev": name, "d": data})

    def window(self, identifier: str) -> Window:
        if identifier not in self.windows:
            self.windows[identifier] = Window()
        return self.windows[identifier]

    def _allowed(self, token: str) -> bool:
        return secrets.compare_digest(token, self.token)

    async def _file(self, request: web.Request) -> web.Response:
        path = (DIST / (request.match_info["path"] or "index.html")).resolve()
        if not path.is_relative_to(DIST) or not path.is_file():
            raise web.HTTPNotFound(headers={"Content-Security-Policy": POLICY})
        headers = {
            "Content-Security-Policy": POLICY,
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
        }
        return web.Response(body=path.read_bytes(), content_type=TYPES[path.suffix], headers=headers)

    async def _command(self, request: web.Request) -> web.Response:
        if not self._allowed(request.headers.get("Authorization", "").removeprefix("Bearer ")):
            return web.json_response(
                {"code": "authentication_failed", "message": "Wrong key.", "data": None}, status=401
            )
        name = request.match_info["command"]
        arguments = await request.json()
        self.calls.append((name, arguments))
        try:
            result = await self.commands.run(name, arguments)
        except Refusal as refusal:
            data = {"reason": refusal.code, "param": refusal.param}
            return web.json_response(
                {"code": refusal.code, "message": refusal.message, "data": data}, status=refusal.status
            )
        return web.Response(body=msgspec.json.encode(result), content_type="application/json")

    async def _blob(self, request: web.Request) -> web.Response:
        handle = f"blob{len(self.blobs)}"
        self.blobs[handle] = await request.read()
        return web.json_response({"handle": handle, "size": len(self.blobs[handle]), "expires_at": 0})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        offered = [item.strip() for item in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        token = next((item.removeprefix("bearer.") for item in offered if item.startswith("bearer.")), "")
        if not self._allowed(token):
            return web.Response(status=401)
        if not self.accepting:
            return web.Response(status=503)
        socket = web.WebSocketResponse(protocols=("llamero.v1",), heartbeat=20)
        await socket.prepare(request)
        first = await socket.receive_json(timeout=5)
        greeting = first.get("resume") or first["hello"]
        window = self.window(greeting["window"])
        window.socket = socket
        self.connections += 1
        after = window.seq
        if first.get("resume") and greeting["epoch"] == self.epoch:
            after = greeting["seq"]
        else:
            snapshot = msgspec.to_builtins(self.commands.snapshot())
            await socket.send_str(json.dumps({"seq": window.seq, "epoch": self.epoch, "snapshot": snapshot}))
        writer = asyncio.create_task(self._write(window, socket, after))
        try:
            async for message in socket:
                if message.type is WSMsgType.ERROR:
                    break
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
        return socket

    async def _write(self, window: Window, socket: web.WebSocketResponse, after: int) -> None:
        base = window.frames[0][0] if window.frames else 1
        at = max(0, after + 1 - base)
        while True:
            while at < len(window.frames):
                await socket.send_str(window.frames[at][1])
                at += 1
            window.wake.clear()
            await window.wake.wait()

    async def _sample(self) -> None:
        while True:
            self.event("metrics", self.world.metrics())
            await asyncio.sleep(1)
