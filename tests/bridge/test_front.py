"""The window's origin before there is a core: the page comes at once, everything else waits for the core."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.failed_core import failed_core
from llamero.bridge.front import CoreRoutes, Front
from llamero.bridge.origin import Origin, open_origin
from tests.bridge.harness import WAIT_S, RawResponse, exchange, request_bytes, text_of

INDEX = b"<!doctype html><title>Llamero</title>"


class FakeCore:
    """Answers everything with its path, and says when it was ended."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.routes = CoreRoutes(self._answer, self._answer, self._answer, self._answer, self._close, self._clean_up)

    async def _answer(self, request: web.Request) -> web.Response:
        return web.Response(text=request.path)

    async def _close(self) -> None:
        self.ended.append("close")

    def _clean_up(self) -> None:
        self.ended.append("clean up")


@asynccontextmanager
async def running_front(folder: Path) -> AsyncIterator[Front]:
    (folder / "index.html").write_bytes(INDEX)
    front = Front(open_origin(), frontend=folder, messages=text_of)
    await front.start()
    try:
        yield front
    finally:
        await front.stop()


async def ask(origin: Origin, method: str, target: str, body: bytes | None = None) -> RawResponse:
    token = origin.tokens.token(WindowKind.WINDOW)
    headers = {
        "Host": f"127.0.0.1:{origin.port}",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
    }
    return await exchange(origin.port, request_bytes(method, target, headers, body))


async def test_page_comes_while_there_is_no_core_and_commands_wait_for_it(tmp_path: Path) -> None:
    core = FakeCore()
    async with asyncio.timeout(WAIT_S), running_front(tmp_path) as front:
        command = asyncio.create_task(ask(front.origin, "POST", "/bridge/get_snapshot", b"{}"))
        blob = asyncio.create_task(ask(front.origin, "GET", "/bridge/blob/a"))
        assert (await ask(front.origin, "GET", "/")).body == INDEX
        assert not command.done() and not blob.done()
        front.connect(core.routes)
        assert (await command).body == b"/bridge/get_snapshot"
        assert (await blob).body == b"/bridge/blob/a"
    assert core.ended == ["close", "clean up"]


async def test_command_that_waits_for_a_core_that_never_comes_is_refused_at_the_end(tmp_path: Path) -> None:
    async with asyncio.timeout(WAIT_S), running_front(tmp_path) as front:
        command = asyncio.create_task(ask(front.origin, "POST", "/bridge/get_snapshot", b"{}"))
        assert (
            await ask(front.origin, "GET", "/")
        ).status == 200  # takes longer than the command, which was sent first
        await front.stop()
        response = await command
    assert response.status == 503
    assert response.json()["code"] == "server_error-shutting_down"


async def test_page_that_asks_before_the_origin_is_served_is_answered_when_it_is(tmp_path: Path) -> None:
    """The window opens on the address while the core still starts."""
    (tmp_path / "index.html").write_bytes(INDEX)
    async with asyncio.timeout(WAIT_S):
        origin = open_origin()
        page = asyncio.create_task(ask(origin, "GET", "/"))
        front = Front(origin, frontend=tmp_path, messages=text_of)
        await front.start()
        assert (await page).body == INDEX
        await front.stop()


async def test_core_that_could_not_start_says_why_to_who_has_the_token(tmp_path: Path) -> None:
    sentence = "The database /home/somebody/llamero.db is damaged. Move it elsewhere."
    async with asyncio.timeout(WAIT_S), running_front(tmp_path) as front:
        front.connect(failed_core(front.origin.tokens, sentence))
        told = await ask(front.origin, "POST", "/bridge/get_snapshot", b"{}")
        headers = {"Host": f"127.0.0.1:{front.origin.port}", "Content-Type": "application/json"}
        stranger = await exchange(front.origin.port, request_bytes("POST", "/bridge/get_snapshot", headers, b"{}"))
        assert (await ask(front.origin, "GET", "/")).body == INDEX
    assert (told.status, told.json()["code"]) == (409, "bridge_error-not_started")
    assert stranger.status == 401
    assert b"somebody" not in stranger.body
