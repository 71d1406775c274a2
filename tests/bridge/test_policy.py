"""Who is let in to the window's origin, as one table, and the accidents of programs like this one."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from llamero.bridge.capabilities import WindowKind
from llamero.bridge.policy import CONTENT_SECURITY_POLICY
from llamero.bridge.tokens import Tokens
from llamero.models.desktop import Activate
from tests.bridge.harness import Bridge, RawResponse, exchange, request_bytes, running_bridge

DELETE = "/bridge/delete_conversation"
BODY = json.dumps({"conversation_id": "c1"}).encode()
EVIL = "https://evil.example"
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class Case:
    """What is sent beyond what our own page sends, and the status it gets. A header of None is left out."""

    name: str
    status: int
    headers: Mapping[str, str | None] = field(default_factory=dict)
    method: str = "POST"
    target: str = DELETE


def post(name: str, status: int, **headers: str | None) -> Case:
    return Case(name, status, {header.replace("_", "-"): value for header, value in headers.items()})


CASES = [
    post("our page", 200),
    post("our page as browsers send it", 200, Origin="http://127.0.0.1:{port}", Sec_Fetch_Site="same-origin"),
    post("our page by the name localhost", 200, Host="localhost:{port}", Origin="http://localhost:{port}"),
    post("our page over IPv6", 200, Host="[::1]:{port}"),
    # Another name, another port.
    post("host of a page that was rebound", 403, Host="evil.example:{port}"),
    post("host without port", 403, Host="127.0.0.1"),
    post("host of another port", 403, Host="127.0.0.1:1"),
    post("host any", 403, Host="0.0.0.0:{port}"),
    post("no host at all", 400, Host=None),
    # Another page.
    post("foreign origin", 403, Origin=EVIL),
    post("origin null", 403, Origin="null"),
    post("origin of another port here", 403, Origin="http://127.0.0.1:1"),
    post("origin with another scheme", 403, Origin="https://127.0.0.1:{port}"),
    post("origin of which ours is a prefix", 403, Origin="http://127.0.0.1:{port}.evil.example"),
    post("another site", 403, Sec_Fetch_Site="cross-site"),
    post("another port of this site", 403, Sec_Fetch_Site="same-site"),
    # The type: of everybody, not only of browsers.
    post("a form", 415, Content_Type="application/x-www-form-urlencoded"),
    post("plain text", 415, Content_Type="text/plain"),
    post("multipart", 415, Content_Type="multipart/form-data; boundary=x"),
    post("no type", 415, Content_Type=None),
    post("json with a charset", 200, Content_Type="application/json; charset=utf-8"),
    # The token.
    post("no token", 401, Authorization=None),
    post("wrong token", 401, Authorization="Bearer wrong"),
    post("token cut short", 401, Authorization="Bearer {token[:-1]}"),
    post("token with more", 401, Authorization="Bearer {token}x"),
    post("token of an earlier launch", 401, Authorization="Bearer " + Tokens().token(WindowKind.WINDOW)),
    post("empty token", 401, Authorization="Bearer "),
    post("token as basic", 401, Authorization="Basic {token}"),
    post("token in x-api-key", 401, Authorization=None, X_Api_Key="{token}"),
    post("token in a cookie", 401, Authorization=None, Cookie="t={token}; token={token}"),
    Case("token in the query", 401, {"Authorization": None}, target=DELETE + "?t={token}&token={token}"),
    post("token in the subprotocol of a command", 401, Authorization=None, Sec_WebSocket_Protocol="bearer.{token}"),
    # Nothing is said about what exists to those who are not let in.
    Case("unknown command without token", 401, {"Authorization": None}, target="/bridge/nothing"),
    Case("unknown command", 404, target="/bridge/nothing"),
    Case("command by GET", 404, method="GET"),
    Case("command by PUT", 405, method="PUT"),
    Case("command with a slash", 405, target="/bridge/a/b"),
    Case("preflight", 403, {"Origin": EVIL, "Access-Control-Request-Method": "POST"}, method="OPTIONS"),
    Case("preflight of our own page", 405, {"Access-Control-Request-Method": "POST"}, method="OPTIONS"),
    Case("target with another host", 400, target="http://evil.example" + DELETE),
    Case("compressed body", 415, {"Content-Encoding": "gzip"}),
]


async def send(bridge: Bridge, case: Case) -> RawResponse:
    token = bridge.tokens[WindowKind.WINDOW]

    def fill(text: str) -> str:
        text = text.replace("{port}", str(bridge.port))
        return text.replace("{token[:-1]}", token[:-1]).replace("{token}", token)

    pairs = [(name, fill(value)) for name, value in {**bridge.headers(), **case.headers}.items() if value is not None]
    return await exchange(bridge.port, request_bytes(case.method, fill(case.target), pairs, BODY))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_bridge_answers_head_as_the_table_says(case: Case, tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        response = await send(bridge, case)
        done = len(bridge.chats.calls)
        token = bridge.tokens[WindowKind.WINDOW].encode()
    assert response.status == case.status
    assert done == (1 if case.status == 200 else 0)
    if case.status != 200:
        assert set(response.json()) == {"code", "message", "data"}
        assert token not in response.body
    if case.status == 401:
        assert response.json()["code"] == "token_expired"
    for name, value in HEADERS.items():
        assert response.headers[name] == value, name
    assert not [name for name in response.headers if name.startswith("access-control-")]
    assert "set-cookie" not in response.headers


def socket_headers(bridge: Bridge, **changed: str | None) -> dict[str, str]:
    sent: dict[str, str | None] = {
        "Host": bridge.host,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": bridge.url,
        "Sec-WebSocket-Protocol": f"llamero.v1, bearer.{bridge.tokens[WindowKind.WINDOW]}",
    }
    sent |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in sent.items() if value is not None}


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({}, 101),
        ({"Origin": EVIL}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Host": "evil.example"}, 403),
        ({"Sec_WebSocket_Protocol": None}, 401),
        ({"Sec_WebSocket_Protocol": "llamero.v1"}, 401),
        ({"Sec_WebSocket_Protocol": "llamero.v1, bearer.wrong"}, 401),
        ({"Sec_WebSocket_Protocol": "llamero.v1, bearer."}, 401),
        ({"Sec_WebSocket_Protocol": None, "Cookie": "t={token}"}, 401),
        ({"Sec_WebSocket_Protocol": "bearer.{token}"}, 400),
        ({"Sec_WebSocket_Protocol": "llamero.v1, bearer.{token}, bearer.other"}, 401),
        ({"Sec_WebSocket_Protocol": None, "Authorization": "Bearer {token}"}, 401),
    ],
    ids=str,
)
async def test_socket_is_opened_for_our_own_page_only(
    changed: dict[str, str | None], status: int, tmp_path: Path
) -> None:
    async with running_bridge(tmp_path) as bridge:
        token = bridge.tokens[WindowKind.WINDOW]
        filled = {name: value and value.replace("{token}", token) for name, value in changed.items()}
        request = request_bytes("GET", "/bridge/events", socket_headers(bridge, **filled))
        response = await exchange(bridge.port, request) if status != 101 else await opening(bridge, request)
        assert response.status == status
        if status == 101:
            assert response.headers["sec-websocket-protocol"] == "llamero.v1"
        for name, value in HEADERS.items():
            assert response.headers[name] == value
        assert not bridge.hub.known()


async def opening(bridge: Bridge, request: bytes) -> RawResponse:
    """The head of an upgrade, whose connection would stay open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return RawResponse(int(first.split()[1]), headers, b"")


async def test_socket_of_an_old_token_is_refused_before_the_upgrade(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await session.ws_connect(f"{bridge.url}/bridge/events", protocols=("llamero.v1", "bearer.old"))
        assert refusal.value.status == 401


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
async def test_jan_cve_2025_2446_simple_post_of_a_page_does_nothing(kind: str, tmp_path: Path) -> None:
    """A form or a no-cors fetch is sent without preflight, and a rebound page even knows no token."""
    async with running_bridge(tmp_path) as bridge:
        for page in ({"Origin": EVIL}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {}):
            headers = {"Host": bridge.host, "Content-Type": kind} | page
            response = await exchange(bridge.port, request_bytes("POST", DELETE, headers, BODY))
            assert response.status in (401, 403, 415)
        assert bridge.chats.calls == []


async def test_tokens_are_256_bits_and_differ_by_kind_and_launch() -> None:
    tokens = [Tokens().token(kind) for _ in range(3) for kind in WindowKind]
    assert len(set(tokens)) == 3 * len(WindowKind)
    assert min(len(token) for token in tokens) == 43
    assert tokens[0] not in repr(Tokens())


async def test_address_has_the_token_in_the_fragment_only(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        origin = bridge.front.origin
        for url, kind in ((origin.url, WindowKind.TAB), (origin.window_url, WindowKind.WINDOW)):
            assert url == f"http://127.0.0.1:{bridge.port}/#t={bridge.tokens[kind]}"


async def test_token_is_in_no_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    async with running_bridge(tmp_path) as bridge:
        await bridge.call("get_snapshot")
        async with bridge.page() as page:
            await page.frame()
        await exchange(bridge.port, request_bytes("POST", DELETE, bridge.headers() | {"Host": "evil"}, BODY))
        secrets = list(bridge.tokens.values())
    assert caplog.records
    assert not [secret for secret in secrets if secret in caplog.text]


async def test_second_start_may_activate_and_nothing_else(tmp_path: Path) -> None:
    activated: list[Activate] = []

    async def activate(request: Activate) -> None:
        activated.append(request)

    async with running_bridge(tmp_path, real=lambda hub: {"activate": activate}) as bridge:
        second = WindowKind.SECOND_START
        body = {"arguments": ["--model", "m.gguf"], "working_directory": "/home/somebody"}
        answer = await bridge.call("activate", body, kind=second, window=None)
        assert (answer.status, answer.json()) == (200, {"pid": os.getpid()})
        assert activated == [Activate(arguments=("--model", "m.gguf"), working_directory="/home/somebody")]
        assert (await bridge.call("get_snapshot", kind=second)).status == 403
        assert (await bridge.call("activate", body)).status == 403
