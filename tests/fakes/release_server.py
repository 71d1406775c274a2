"""GitHub as far as a build asks it: what the API says of a release, and its files behind a redirect to elsewhere.

Two real servers on loopback, as with GitHub, where files do not come from the API's host. Each misbehavior is a switch
that a test sets; every request is remembered with its headers.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

REPOSITORY = "/repos/ggml-org/llama.cpp"


@dataclass
class Asked:
    """A request that came."""

    server: str
    path: str
    headers: dict[str, str]


@dataclass
class ReleaseServer:
    """What it has, and how it misbehaves. The first so many requests for files are cut after so many bytes."""

    tag: str = "b11459"
    files: dict[str, bytes] = field(default_factory=dict)
    digests: dict[str, str | None] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    lies_about_ranges: bool = False
    api_moved: bool = False
    api_answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    file_answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    redirect_to: str | None = None
    asked: list[Asked] = field(default_factory=list)
    api_port: int = 0
    files_port: int = 0

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}{REPOSITORY}"

    def asked_of(self, server: str) -> list[Asked]:
        return [one for one in self.asked if one.server == server]

    def release(self) -> dict[str, object]:
        assets = [
            {
                "name": name,
                "size": self.sizes.get(name, len(content)),
                "state": "uploaded",
                "digest": self.digests.get(name, f"sha256:{hashlib.sha256(content).hexdigest()}"),
                "browser_download_url": f"http://127.0.0.1:{self.api_port}/download/{name}",
            }
            for name, content in self.files.items()
        ]
        return {"tag_name": self.tag, "assets": assets}


@contextmanager
def release_server() -> Iterator[ReleaseServer]:
    """Run both servers."""
    world = ReleaseServer()
    servers = []
    try:
        for name in ("api", "files"):
            server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(world, name))
            servers.append(server)
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        world.api_port, world.files_port = (server.server_address[1] for server in servers)
        yield world
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def _handler(world: ReleaseServer, server: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            world.asked.append(Asked(server, self.path, headers))
            self.close_connection = True
            if server == "files":
                self._file()
            elif self.path.startswith("/download/"):
                target = world.redirect_to or f"http://127.0.0.1:{world.files_port}/signed"
                self._answer(302, {"Location": f"{target}/{self.path.rpartition('/')[2]}?sig=secret"})
            elif world.api_moved and not self.path.startswith("/moved"):
                self._answer(301, {"Location": f"http://127.0.0.1:{world.files_port}/moved/releases/tags/{world.tag}"})
            else:
                self._release()

        def _release(self) -> None:
            if world.api_answers:
                status, headers = world.api_answers.pop(0)
                self._answer(status, headers)
            elif self.path.endswith(f"/releases/tags/{world.tag}"):
                self._answer(200, {"Content-Type": "application/json"}, json.dumps(world.release()).encode())
            else:
                self._answer(404, {})

        def _file(self) -> None:
            if self.path.startswith("/moved"):
                self._release()
                return
            if world.file_answers:
                status, headers = world.file_answers.pop(0)
                self._answer(status, headers)
                return
            content = world.files[self.path.partition("?")[0].rpartition("/")[2]]
            start = self._start()
            if start >= len(content) > 0:
                self._answer(416, {})
                return
            told = start + 1 if start and world.lies_about_ranges else start
            head = {"Content-Range": f"bytes {told}-{len(content) - 1}/{len(content)}"} if start else {}
            self._answer(206 if start else 200, head, content[start:], world.cuts.pop(0) if world.cuts else None)

        def _start(self) -> int:
            asked = self.headers.get("Range", "")
            return int(asked.removeprefix("bytes=").rstrip("-")) if asked and world.ranges else 0

        def _answer(self, status: int, headers: dict[str, str], body: bytes = b"", cut: int | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    return Handler
