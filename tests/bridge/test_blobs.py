"""Uploads: streamed, bounded, private, and gone after a while."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from llamero.bridge.blobs import BlobLimits
from tests.bridge.harness import Bridge, RawResponse, eventually, exchange, request_bytes, running_bridge

SMALL = BlobLimits(max_blob=1000, max_total=1500, max_blobs=3, silence_s=0.1)


async def put(bridge: Bridge, body: bytes, **changed: str) -> RawResponse:
    headers = bridge.headers() | {"Content-Type": "application/octet-stream"} | changed
    return await exchange(bridge.port, request_bytes("PUT", "/bridge/blob", headers, body))


async def get(bridge: Bridge, handle: str) -> RawResponse:
    return await exchange(bridge.port, request_bytes("GET", f"/bridge/blob/{handle}", bridge.headers()))


def kept(folder: Path) -> list[Path]:
    directory = folder / "blobs"
    return sorted(directory.iterdir()) if directory.is_dir() else []


async def test_blob_comes_back_as_it_was_and_as_nothing_a_browser_would_run(tmp_path: Path) -> None:
    body = b"<script>alert(1)</script>" + bytes(range(256)) * 4000
    async with running_bridge(tmp_path) as bridge:
        answer = (await put(bridge, body, **{"Content-Type": "text/html"})).json()
        assert answer["size"] == len(body)
        assert len(answer["handle"]) >= 43
        back = await get(bridge, answer["handle"])
        assert back.body == body
        assert back.headers["content-type"] == "application/octet-stream"
        assert back.headers["content-disposition"] == "attachment"
        assert back.headers["x-content-type-options"] == "nosniff"
        file = bridge.blobs.path(answer["handle"])
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
        assert answer["handle"] not in str(file)
    assert kept(tmp_path) == []


async def test_blob_is_written_as_it_arrives(tmp_path: Path) -> None:
    """Far more than is held in memory, sent in pieces without a length."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(320):
            yield b"x" * 65536

    async with running_bridge(tmp_path) as bridge, aiohttp.ClientSession() as session:
        async with session.put(f"{bridge.url}/bridge/blob", data=pieces(), headers=bridge.headers()) as response:
            answer = await response.json()
        assert answer["size"] == 320 * 65536
        assert bridge.blobs.path(answer["handle"]).stat().st_size == 320 * 65536


@pytest.mark.parametrize("length", [1001, 10**15])
async def test_blob_declared_too_large_is_refused_without_being_read(tmp_path: Path, length: int) -> None:
    async with running_bridge(tmp_path, blob_limits=SMALL) as bridge:
        headers = bridge.headers() | {"Content-Length": str(length)}
        response = await exchange(bridge.port, request_bytes("PUT", "/bridge/blob", headers))
        assert (response.status, response.json()["code"]) == (413, "payload_too_large")
        await eventually(lambda: kept(tmp_path) == [])


async def test_blob_that_grows_too_large_leaves_nothing(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, blob_limits=SMALL) as bridge:
        headers = bridge.headers() | {"Transfer-Encoding": "chunked"}
        head = request_bytes("PUT", "/bridge/blob", headers)
        response = await exchange(bridge.port, head + b"800\r\n" + b"x" * 0x800 + b"\r\n")
        assert response.status == 413
        await eventually(lambda: kept(tmp_path) == [])


async def test_blobs_are_bounded_together(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, blob_limits=SMALL) as bridge:
        assert (await put(bridge, b"x" * 900)).status == 200
        full = await put(bridge, b"x" * 900)
        assert (full.status, full.json()["data"]["reason"]) == (429, "bridge_error-blobs_full")
        assert (await put(bridge, b"x")).status == 200
        assert (await put(bridge, b"x")).status == 200
        assert (await put(bridge, b"x")).status == 429
        assert len(kept(tmp_path)) == 3


async def test_blob_expires(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, blob_limits=BlobLimits(lifetime_s=0.05)) as bridge:
        handle = (await put(bridge, b"x")).json()["handle"]
        await eventually(lambda: kept(tmp_path) == [])
        gone = await get(bridge, handle)
        assert (gone.status, gone.json()["data"]["reason"]) == (404, "bridge_error-no_such_blob")


async def test_upload_that_stands_still_or_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, blob_limits=SMALL) as bridge:
        head = request_bytes("PUT", "/bridge/blob", bridge.headers() | {"Content-Length": "100"})
        assert (await exchange(bridge.port, head + b"only this")).status == 408
        _, writer = await asyncio.open_connection("127.0.0.1", bridge.port)
        writer.write(head + b"x")
        await eventually(lambda: len(kept(tmp_path)) == 1)
        writer.close()
        await eventually(lambda: kept(tmp_path) == [])
        assert (await put(bridge, b"y")).status == 200


@pytest.mark.parametrize("handle", ["x" * 43, "..%2f..%2fetc%2fpasswd", "..", "%00", "a/b"])
async def test_blob_handle_is_no_path(tmp_path: Path, handle: str) -> None:
    async with running_bridge(tmp_path) as bridge:
        await put(bridge, b"x")
        assert (await get(bridge, handle)).status in (400, 404)


async def test_blob_needs_the_token_both_ways(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        handle = (await put(bridge, b"x")).json()["handle"]
        assert (await put(bridge, b"x", Authorization="Bearer wrong")).status == 401
        headers = {"Host": bridge.host}
        assert (await exchange(bridge.port, request_bytes("GET", f"/bridge/blob/{handle}", headers))).status == 401
        assert len(kept(tmp_path)) == 1


async def test_what_a_killed_run_left_is_removed_at_the_first_upload(tmp_path: Path) -> None:
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / "left").write_bytes(b"x")
    (tmp_path / "blobs" / "link").symlink_to(tmp_path / "dear")
    (tmp_path / "dear").write_bytes(b"keep me")
    async with running_bridge(tmp_path) as bridge:
        assert (await put(bridge, b"x")).status == 200
        assert len(kept(tmp_path)) == 1
    assert (tmp_path / "dear").read_bytes() == b"keep me"


async def test_blob_area_that_cannot_be_made_is_a_typed_error_and_works_once_it_can(tmp_path: Path) -> None:
    (tmp_path / "blobs").write_bytes(b"a file is in the way")
    async with running_bridge(tmp_path) as bridge:
        failed = await put(bridge, b"x")
        assert (failed.status, failed.json()["code"]) == (500, "server_error-io_error")
        assert str(tmp_path) not in failed.json()["message"]
        (tmp_path / "blobs").unlink()
        assert (await put(bridge, b"x")).status == 200
