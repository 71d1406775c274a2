"""Files on their way from the page: uploaded, judged, kept, and read again when somebody wants to see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from llamero.bridge.capabilities import WindowKind
from llamero.services.chats.attachments import LIMITS
from tests.bridge.harness import Bridge, RawResponse, exchange, request_bytes, running_bridge


async def upload(bridge: Bridge, body: bytes) -> str:
    headers = bridge.headers() | {"Content-Type": "application/octet-stream"}
    response = await exchange(bridge.port, request_bytes("PUT", "/bridge/blob", headers, body))
    return str(response.json()["handle"])


async def add(bridge: Bridge, name: str, body: bytes, **more: Any) -> RawResponse:
    return await bridge.call("add_attachment", {"handle": await upload(bridge, body), "name": name}, **more)


@pytest.mark.parametrize("kind", [WindowKind.WINDOW, WindowKind.TAB])
async def test_file_is_kept_and_read_again(tmp_path: Path, kind: WindowKind) -> None:
    async with running_bridge(tmp_path) as bridge:
        added = (await add(bridge, "/home/me/a.md", b"# Hi\n", kind=kind)).json()
        assert added == {"id": "f0", "name": "a.md", "kind": "text", "media_type": "text/plain", "size": 5}
        ref = {"attachment_id": "f0"}
        shown = (await bridge.call("get_attachment", ref, kind=kind)).json()
        assert shown == {"attachment": added, "text": "# Hi\n", "image": None}
        assert (await bridge.call("discard_attachment", ref, kind=kind)).status == 200
        assert (await bridge.call("get_attachment", ref, kind=kind)).status == 404


@pytest.mark.parametrize(("body", "status"), [(b"\x00", 400), (b"", 400), (b"x" * (LIMITS.text_bytes + 1), 413)])
async def test_file_that_is_refused_is_named_and_its_upload_is_gone(tmp_path: Path, body: bytes, status: int) -> None:
    async with running_bridge(tmp_path) as bridge:
        refused = await add(bridge, "/secret/a.txt", body)
        assert refused.status == status
        assert "name=a.txt" in refused.json()["message"] and "secret" not in refused.json()["message"]
        assert list((tmp_path / "blobs").iterdir()) == []


async def test_upload_larger_than_any_file_may_be_is_not_read(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        handle = await upload(bridge, b"x" * (LIMITS.total_bytes + 1))
        # Whoever read it would find nothing there and fail in another way.
        bridge.blobs.path(handle).unlink()
        refused = await bridge.call("add_attachment", {"handle": handle, "name": "a"})
        assert (refused.status, refused.json()["code"]) == (413, "payload_too_large")


async def test_upload_is_good_for_one_file(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge:
        arguments = {"handle": await upload(bridge, b"x"), "name": "a"}
        assert (await bridge.call("add_attachment", arguments)).status == 200
        assert (await bridge.call("add_attachment", arguments)).status == 404


async def test_page_is_told_at_first_what_it_may_attach(tmp_path: Path) -> None:
    async with running_bridge(tmp_path) as bridge, bridge.page() as page:
        limits = (await page.frame())["snapshot"]["attachment_limits"]
        assert limits == msgspec.structs.asdict(LIMITS)
