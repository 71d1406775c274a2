"""Lists of models of remote servers: the vectors, and that a bad server neither fails nor delays anybody."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from llamero.models.aliases import ApiModel
from llamero.models.errors import UpstreamFailed
from llamero.models.remote import RemoteRequest
from llamero.services import remote_names
from llamero.services.remote_names import AT_ONCE, MAX_NAMES, RemoteNames, names_of
from tests.fakes.clock import FakeClock

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[1] / "vectors" / "routing.json").read_text("utf-8"))
API = ApiModel(name="api", base_url="http://host.test/v1", prefix="api/", forward_all=True)


@pytest.mark.parametrize("case", VECTORS["remote_models_list"], ids=lambda case: str(case["out"]))
def test_remote_models_list_vector_is_exact(case: dict[str, Any]) -> None:
    assert list(names_of(json.dumps(case["in"]).encode())) == case["out"]


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"data": [{"id": "a", "created": "yesterday"}, {"id": "a"}, {"id": 7}, {"id": ""}, "x", None]}, ("a",)),
        ({"data": [{"id": "x" * 201}]}, ()),
        ({}, ()),
    ],
)
def test_remote_models_list_odd_entries_are_skipped(document: object, names: tuple[str, ...]) -> None:
    assert names_of(json.dumps(document).encode()) == names


def test_remote_models_list_is_bounded() -> None:
    entries = [{"id": str(number)} for number in range(MAX_NAMES + 1)]
    assert len(names_of(json.dumps({"data": entries}).encode())) == MAX_NAMES


@pytest.mark.parametrize("document", [b"", b"<html>", b"[]", b'{"data": 1}', b"\xff", b'{"data":' + b"[" * 100_000])
def test_remote_models_list_that_is_none_is_refused(document: bytes) -> None:
    with pytest.raises(UpstreamFailed):
        names_of(document)


class Reply:
    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.headers, self.host, self._body = status, dict[str, str](), "host.test", body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body


class Server:
    """A server that is asked for its list; `hangs` until that is set to False."""

    def __init__(self) -> None:
        self.asked: list[tuple[RemoteRequest, str | None]] = []
        self.status, self.body = 200, b'{"data":[{"id":"m1"}]}'
        self.hangs = False
        self.open = self.most = 0

    @asynccontextmanager
    async def request(self, request: RemoteRequest, key: str | None) -> AsyncIterator[Reply]:
        self.asked.append((request, key))
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await asyncio.sleep(0)
            if self.hangs:
                await asyncio.Event().wait()
            yield Reply(self.status, self.body)
        finally:
            self.open -= 1


class OneKey:
    async def get(self, name: str) -> str | None:
        return f"key of {name}"


def asking() -> tuple[RemoteNames, Server, FakeClock]:
    server, clock = Server(), FakeClock()
    return RemoteNames(server, OneKey(), clock), server, clock


async def test_remote_names_are_asked_with_the_key_and_kept_for_a_minute() -> None:
    names, server, clock = asking()
    assert await asyncio.gather(*[names.names(API) for _ in range(10)]) == [("m1",)] * 10
    assert [(request.endpoint, request.method, key) for request, key in server.asked] == [
        ("/v1/models", "GET", "key of api")
    ]
    server.body = b'{"data":[{"id":"m2"}]}'
    clock.advance(59)
    assert await names.names(API) == ("m1",)
    clock.advance(1)
    assert await names.names(API) == ("m2",)


async def test_remote_names_server_that_fails_keeps_its_names_and_is_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    names, server, clock = asking()
    await names.names(API)
    server.status = 500
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.advance(60)
            assert await names.names(API) == ("m1",)
        server.status = 200
        clock.advance(60)
        await names.names(API)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


async def test_remote_names_server_that_hangs_delays_nobody_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_names, "TIMEOUT_S", 0.05)
    names, server, _ = asking()
    server.hangs = True
    async with asyncio.timeout(5):
        assert await names.names(API) == ()
        assert await names.names(API) == ()
    assert len(server.asked) == 1, "a failure is remembered as long as a success"


async def test_remote_names_of_many_servers_are_asked_together_and_a_bounded_number_at_once() -> None:
    names, server, _ = asking()
    apis = [replace(API, name=f"api{number}") for number in range(3 * AT_ONCE)]
    assert await asyncio.gather(*map(names.names, apis)) == [("m1",)] * len(apis)
    assert (server.most, len(server.asked)) == (AT_ONCE, len(apis))


async def test_remote_names_server_whose_turn_did_not_come_is_asked_the_next_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(remote_names, "TIMEOUT_S", 0.05)
    names, server, _ = asking()
    server.hangs = True
    slow = [replace(API, name=f"slow{number}") for number in range(AT_ONCE)]
    late = replace(API, name="late")
    async with asyncio.timeout(5):
        await asyncio.gather(*map(names.names, [*slow, late]))
    assert not [record for record in caplog.records if "late" in record.getMessage()]
    server.hangs = False
    assert await names.names(late) == ("m1",)


async def test_remote_names_list_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_names, "MAX_BODY_BYTES", 10)
    names, _, _ = asking()
    assert await names.names(API) == ()
