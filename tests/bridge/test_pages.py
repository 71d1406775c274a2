"""The page's files: types, headers, what is kept, and nothing else of the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamero.bridge.pages import find_frontend
from tests.bridge.harness import Bridge, RawResponse, exchange, request_bytes, running_bridge

INDEX = b"<!doctype html><title>Llamero</title>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_bytes(INDEX)
    (dist / "favicon.svg").write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'/>")
    (dist / "assets" / "index-Bq3xY_z9.js").write_bytes(b"export {};")
    (dist / "assets" / "index-Bq3xY_z9.css").write_bytes(b"body{}")
    (dist / "assets" / "index-Bq3xY_z9.js.map").write_bytes(b"{}")
    (dist / ".env").write_bytes(b"SECRET=1")
    (dist / "run.py").write_bytes(b"SECRET=1")
    (tmp_path / "secret.js").write_bytes(b"SECRET=1")
    (dist / "out.js").symlink_to(tmp_path / "secret.js")
    (dist / "pipe.js").mkdir()
    return tmp_path


async def get(bridge: Bridge, target: str, **headers: str) -> RawResponse:
    sent = {"Host": bridge.host} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await exchange(bridge.port, request_bytes("GET", target, sent))


@pytest.mark.parametrize(
    ("target", "content_type", "cache"),
    [
        ("/", "text/html; charset=utf-8", "no-store"),
        ("/index.html", "text/html; charset=utf-8", "no-store"),
        ("/?x=1", "text/html; charset=utf-8", "no-store"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
        ("/assets/index-Bq3xY_z9.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/index-Bq3xY_z9.css", "text/css; charset=utf-8", "public, max-age=31536000, immutable"),
    ],
)
async def test_page_file_has_its_type_and_is_kept_as_long_as_it_is_good(
    folder: Path, target: str, content_type: str, cache: str
) -> None:
    async with running_bridge(folder) as bridge:
        response = await get(bridge, target, Sec_Fetch_Site="none")
    assert response.status == 200
    assert response.headers["content-type"] == content_type
    assert response.headers["cache-control"] == cache
    assert response.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["permissions-policy"].startswith("camera=()")


@pytest.mark.parametrize(
    "target",
    [
        "/.env", "/run.py", "/out.js", "/pipe.js", "/assets", "/assets/", "/assets/index-Bq3xY_z9.js.map",
        "/nothing.js",
        "/../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js", "/%252e%252e/secret.js", "/assets/../../secret.js",
        "/assets/..%5c..%5csecret.js", "//etc/passwd", "/c:/windows/win.ini", "/index.html%00.js", "/index.html/x.js",
        "/assets//index-Bq3xY_z9.js", "/index.html::$DATA", "/bridge/events.js", "/" + "a" * 5000 + ".js",
    ],
)  # fmt: skip
async def test_nothing_but_the_page_is_served(folder: Path, target: str) -> None:
    async with running_bridge(folder) as bridge:
        response = await get(bridge, target)
    assert response.status == 404
    assert b"SECRET" not in response.body


async def test_page_is_not_served_to_other_names_and_sites(folder: Path) -> None:
    async with running_bridge(folder) as bridge:
        assert (await get(bridge, "/", Host="evil.example")).status == 403
        assert (await get(bridge, "/", Sec_Fetch_Site="cross-site")).status == 403
        assert (await get(bridge, "/", Sec_Fetch_Site="same-site")).status == 403


async def test_page_that_is_not_built_says_what_to_do_without_a_script(tmp_path: Path) -> None:
    async with running_bridge(tmp_path, frontend=tmp_path / "<b>" / "dist") as bridge:
        response = await get(bridge, "/")
        assert response.status == 503
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        text = response.body.decode()
        assert "bridge_error-no_interface" in text
        assert "&lt;b&gt;" in text
        assert "<b>" not in text
        assert "<script" not in text
        assert (await get(bridge, "/assets/x.js")).status == 404
        assert (await bridge.call("get_snapshot")).status == 200


def test_frontend_is_looked_for_beside_the_sources() -> None:
    assert find_frontend().parts[-2:] in (("frontend", "dist"), ("llamero", "frontend"))
