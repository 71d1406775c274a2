"""The app of the window's tests. It has what the real one has around its window: a lock, a server, a child process.

    python -m tests.fakes.desktop_page --data-dir DIR [--theme dark] [--selftest] [ARGUMENT …]

Prints one JSON object for each thing that happens.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import secrets
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from aiohttp import web

from llamero.commands.desktop_life import tray_menu
from llamero.desktop.backends import choose_toolkit
from llamero.desktop.native import Hooks, NativeWindow, native_window
from llamero.desktop.options import WindowOptions, debugging_port
from llamero.desktop.selftest import run_selftest
from llamero.desktop.single_instance import hand_over
from llamero.desktop.tray import ActByTray, Tray, TrayMenu
from llamero.desktop.window import DesktopWindow
from llamero.infrastructure.data_dir_lock import DataDirLock
from llamero.infrastructure.instance_record import Announcement
from llamero.infrastructure.messages import default_messages
from llamero.models.desktop import Toolkit, WindowUnavailable

HERE = Path(__file__).parent
STARTED = time.time()
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def say(event: str, **details: Any) -> None:
    print(json.dumps({"event": event, "after_s": round(time.time() - STARTED, 3), **details}), flush=True)


def unlockable(toolkit: Toolkit) -> NativeWindow:
    """A toolkit that has changed so much that its windows cannot be locked."""
    native = native_window(toolkit)

    class Unlockable(type(native)):  # type: ignore[misc]
        def prepare(self, window: Any, hooks: Any) -> None:
            raise AttributeError("navigationRequested")

    return Unlockable()


def in_a_session_that_ends(toolkit: Toolkit) -> NativeWindow:
    """A system that opens a file and, once its window has been closed into the tray, ends the session: as Windows does,
    where closing the window is how a program is asked whether the session may end."""
    native = native_window(toolkit)

    class Ending(type(native)):  # type: ignore[misc]
        def prepare(self, window: Any, hooks: Hooks) -> None:
            super().prepare(window, hooks)
            self.hooks = hooks
            hooks.opened(Path("/models/a.gguf"))

        def open_tray(self, menu: TrayMenu, act: ActByTray) -> Tray:
            return EverPresentTray()

        def hide(self) -> None:
            super().hide()
            say("in_tray")
            self.hooks.session_ends()

    return Ending()


class EverPresentTray:
    """A tray that is always on the screen."""

    def is_there(self) -> bool:
        return True

    def notify(self, title: str, body: str) -> None:
        say("notified", title=title, body=body)

    def close(self) -> None:
        say("tray_closed")


class PageApp:
    """Server, child and lock around one window."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.window: DesktopWindow | None = None
        self._options = options
        self._token = secrets.token_urlsafe(32)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listening.getsockname()[1]
        self._runner: web.AppRunner | None = None
        self._child: asyncio.subprocess.Process | None = None
        self._announcement: Announcement | None = None
        self._reported: asyncio.Future[Mapping[str, Any]] | None = None

    @property
    def home(self) -> str:
        return f"http://127.0.0.1:{self._port}/#t={self._token}"

    async def start(self) -> None:
        self._reported = asyncio.get_running_loop().create_future()
        say("starting")
        await asyncio.sleep(self._options.start_s)
        if self._options.fail_start:
            raise RuntimeError("no core today")
        self._child = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(600)")
        app = web.Application(middlewares=[self._guard])
        app.router.add_post("/bridge/{command}", self._command)
        app.router.add_get("/{name:.*}", self._page)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listening).start()
        run_dir = self._options.data_dir / "run"
        self._announcement = Announcement(run_dir, port=self._port, token=self._token)
        self._announcement.publish()
        say("started", port=self._port, child=self._child.pid)

    async def stop(self) -> None:
        if self._announcement is not None:
            self._announcement.withdraw()
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):  # Ctrl+C comes to the child, too
                self._child.terminate()
            await self._child.wait()
        if self._runner is not None:
            await self._runner.cleanup()
        say("stopped")
        if self._options.hang_stop:
            await asyncio.sleep(600)

    async def page_report(self) -> Mapping[str, Any]:
        assert self._reported is not None
        return await self._reported

    @web.middleware
    async def _guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.path.startswith("/bridge/") and request.headers.get("Authorization") != f"Bearer {self._token}":
            raise web.HTTPUnauthorized
        response: web.StreamResponse = await handler(request)
        if not self._options.open_page:
            response.headers["Content-Security-Policy"] = POLICY
        return response

    async def _page(self, request: web.Request) -> web.Response:
        path = HERE / (request.match_info["name"] or "page.html")
        if request.path == "/inside":
            say("inside")
            return web.Response(text="<!doctype html><h1>inside</h1>", content_type="text/html")
        if path.parent != HERE or path.suffix not in TYPES:
            raise web.HTTPNotFound
        if path.suffix == ".html" and self._options.hang_page:
            await asyncio.Event().wait()
        if path.name == "attack.js":
            foreign = f"const foreign = {json.dumps(self._options.attack)};\n"
            return web.Response(text=foreign + path.read_text(), content_type="text/javascript")
        content = path.read_bytes()
        if path.suffix == ".html" and self._options.attack:
            content = content.replace(b"</html>", b'<script src="/attack.js"></script></html>')
        if path.suffix == ".css" and self._options.theme == "dark":
            content = content.replace(b"(prefers-color-scheme: dark)", b"all")
        return web.Response(body=content, content_type=TYPES[path.suffix])

    async def _command(self, request: web.Request) -> web.Response:
        body = await request.json()
        match request.match_info["command"]:
            case "report":
                say("report", report=body)
                if self._reported is not None and not self._reported.done():
                    self._reported.set_result(body)
                return web.json_response(None)
            case "activate":
                say("activated", **body)
                assert self.window is not None
                self.window.bring_to_front()
                return web.json_response({"pid": os.getpid()})
            case "attacked":
                say("attacked", **body)
                return web.json_response(None)
            case "choose_model_file":
                say("asked")
                assert self.window is not None
                chosen = await self.window.choose_model_file()
                say("chosen", path=chosen and str(chosen))
                return web.json_response(chosen and str(chosen))
        raise web.HTTPNotFound


def make_native(options: argparse.Namespace) -> Callable[[Toolkit], NativeWindow]:
    """What drives the window, with the misbehavior that was asked for."""
    if options.unlockable:
        return unlockable
    return in_a_session_that_ends if options.session_ends else native_window


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--theme", default="system")
    parser.add_argument("--selftest", action="store_true")
    parser.add_argument("--start-s", type=float, default=0)
    parser.add_argument("--fail-start", action="store_true")
    parser.add_argument("--hang-stop", action="store_true")
    parser.add_argument("--hang-page", action="store_true", help="the page never comes")
    parser.add_argument("--attack", metavar="URL", help="the page tries everything to get to this foreign address")
    parser.add_argument("--open-page", action="store_true", help="no content security policy, as if it had a hole")
    parser.add_argument("--unlockable", action="store_true")
    parser.add_argument("--session-ends", action="store_true", help="when the window was closed into the tray")
    parser.add_argument("arguments", nargs="*")
    options, others = parser.parse_known_args()
    options.arguments += others
    run_dir = options.data_dir / "run"
    if hand_over(run_dir, options.arguments):
        say("handed_over")
        return 0
    toolkit = choose_toolkit()
    if isinstance(toolkit, WindowUnavailable):
        say("no_window", code=toolkit.code, text=default_messages().text(toolkit.code, toolkit.arguments))
        return 3
    run_dir.mkdir(parents=True, exist_ok=True)
    with DataDirLock(run_dir):
        app = PageApp(options)
        window_options = WindowOptions(
            home=app.home,
            geometry_file=options.data_dir / "window.json",
            open_link=lambda url: say("link", url=url),
            open_file=lambda path: say("opened", path=str(path)),
            theme=options.theme,
            stop_timeout_s=4,
            debugging_port=debugging_port(),
            tray=tray_menu(default_messages()) if options.session_ends else None,
            stays=lambda: bool(options.session_ends),
        )
        window = DesktopWindow(toolkit, window_options, make_native(options))
        app.window = window
        if options.selftest:
            return run_selftest(window, app.start, app.stop, app.page_report)
        outcome = window.run(app.start, app.stop)
    if isinstance(outcome, WindowUnavailable):
        say("no_window", code=outcome.code, text=default_messages().text(outcome.code, outcome.arguments))
        return 3
    say("left")
    return outcome


if __name__ == "__main__":
    sys.exit(main())
