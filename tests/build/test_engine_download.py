"""Fetching a release's files from a real server that cuts, lies, limits and sends elsewhere."""

from __future__ import annotations

import hashlib
import io
import os
import time
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path

import pytest

from engine_release.download import fetch
from engine_release.refusal import BuildRefused
from engine_release.releases import find_assets
from engine_release.table import Asset
from engine_release.web import TRIES, Redirects, Web
from tests.fakes.release_server import ReleaseServer, release_server

NAME = "llama-b11459-bin-ubuntu-x64.tar.gz"
TOKEN = "ghp_thisMustNotLeave"


@pytest.fixture
def server() -> Iterator[ReleaseServer]:
    with release_server() as running:
        running.files[NAME] = os.urandom(700_000)
        yield running


class Patience:
    """Waits for nothing, and remembers how long it was to wait."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.waited.append(seconds)


def web_for(server: ReleaseServer, pause: Patience | None = None, token: str = TOKEN) -> Web:
    return Web(server.api, token, pause or Patience())


def find(server: ReleaseServer, web: Web | None = None) -> Asset:
    (asset,) = find_assets(web or web_for(server), server.tag, server.api)
    return asset


def download(server: ReleaseServer, folder: Path, pause: Patience | None = None) -> bytes:
    web = web_for(server, pause)
    return fetch(web, find(server, web), folder).read_bytes()


def ranges(server: ReleaseServer) -> list[str | None]:
    return [one.headers.get("range") for one in server.asked_of("files")]


def test_download_is_whole_and_verified(server: ReleaseServer, tmp_path: Path) -> None:
    assert download(server, tmp_path) == server.files[NAME]
    assert [path.suffix for path in tmp_path.iterdir()] == [".gz"]


def test_download_a_second_time_asks_for_no_file(server: ReleaseServer, tmp_path: Path) -> None:
    download(server, tmp_path)
    server.asked.clear()
    assert download(server, tmp_path) == server.files[NAME]
    assert server.asked_of("files") == []


def test_download_cut_twice_goes_on_where_it_stopped(server: ReleaseServer, tmp_path: Path) -> None:
    server.cuts = [300_000, 100_000]
    assert download(server, tmp_path) == server.files[NAME]
    assert ranges(server) == [None, "bytes=300000-", "bytes=400000-"]


def test_download_left_by_an_earlier_build_goes_on(server: ReleaseServer, tmp_path: Path) -> None:
    asset = find(server)
    (tmp_path / f"{asset.sha256[:16]}-{NAME}.part").write_bytes(server.files[NAME][:123_456])
    assert download(server, tmp_path) == server.files[NAME]
    assert ranges(server) == ["bytes=123456-"]


def test_download_from_a_server_without_ranges_begins_anew(server: ReleaseServer, tmp_path: Path) -> None:
    server.cuts, server.ranges = [300_000], False
    assert download(server, tmp_path) == server.files[NAME]


def test_download_wrong_rest_of_an_earlier_build_is_fetched_anew(server: ReleaseServer, tmp_path: Path) -> None:
    asset = find(server)
    (tmp_path / f"{asset.sha256[:16]}-{NAME}.part").write_bytes(b"x" * 1000)
    assert download(server, tmp_path) == server.files[NAME]
    assert ranges(server) == ["bytes=1000-", None]


def test_download_too_long_rest_of_an_earlier_build_is_fetched_anew(server: ReleaseServer, tmp_path: Path) -> None:
    asset = find(server)
    (tmp_path / f"{asset.sha256[:16]}-{NAME}.part").write_bytes(b"x" * 800_000)
    assert download(server, tmp_path) == server.files[NAME]
    assert ranges(server) == [None]


def test_download_range_that_begins_elsewhere_is_not_taken(server: ReleaseServer, tmp_path: Path) -> None:
    server.cuts, server.lies_about_ranges = [300_000], True
    with pytest.raises(BuildRefused, match="asked for what follows byte 300000, got what follows byte 300001"):
        download(server, tmp_path)
    assert not list(tmp_path.glob("*.gz"))


def test_download_cut_at_once_every_time_ends(server: ReleaseServer, tmp_path: Path) -> None:
    server.cuts = [0] * 100
    pause = Patience()
    with pytest.raises(BuildRefused, match="cannot be read"):
        download(server, tmp_path, pause)
    assert len(server.asked_of("files")) == TRIES
    assert pause.waited == [1, 2, 4, 8]


def test_download_with_a_wrong_digest_is_thrown_away(server: ReleaseServer, tmp_path: Path) -> None:
    server.digests[NAME] = f"sha256:{hashlib.sha256(b'other').hexdigest()}"
    with pytest.raises(BuildRefused, match="does not have the SHA-256"):
        download(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_download_larger_than_told_is_refused_without_being_read(server: ReleaseServer, tmp_path: Path) -> None:
    server.sizes[NAME] = 1000
    with pytest.raises(BuildRefused, match="is larger than the 1000 bytes"):
        download(server, tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1000


def test_download_server_error_is_tried_again(server: ReleaseServer, tmp_path: Path) -> None:
    server.file_answers = [(503, {}), (502, {})]
    pause = Patience()
    assert download(server, tmp_path, pause) == server.files[NAME]
    assert pause.waited == [1, 2]


def test_download_refusal_is_not_tried_again(server: ReleaseServer, tmp_path: Path) -> None:
    server.file_answers = [(403, {})]
    with pytest.raises(BuildRefused, match="HTTP 403") as refusal:
        download(server, tmp_path)
    assert len(server.asked_of("files")) == 1
    assert "secret" not in str(refusal.value)


def test_api_rate_limit_is_waited_out(server: ReleaseServer) -> None:
    server.api_answers = [(429, {"Retry-After": "7"}), (403, {"Retry-After": "3"})]
    pause = Patience()
    find(server, web_for(server, pause))
    assert pause.waited == [7, 3]


def test_api_rate_limit_that_lasts_long_is_told_with_the_way_out(server: ReleaseServer) -> None:
    reset = str(int(time.time()) + 3000)
    server.api_answers = [(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})]
    with pytest.raises(BuildRefused, match=r"too many requests; it may be asked again in \d+ s\. A token in GH_PAT"):
        find(server, web_for(server, token=""))


def test_api_without_the_release_says_so(server: ReleaseServer) -> None:
    with pytest.raises(BuildRefused, match="has no release b1;"):
        find_assets(web_for(server), "b1", server.api)


def test_token_goes_to_the_api_only(server: ReleaseServer, tmp_path: Path) -> None:
    """The download's first address is on the API's origin here, and redirects to another."""
    download(server, tmp_path)
    assert {one.headers.get("authorization") for one in server.asked_of("api")} == {f"Bearer {TOKEN}"}
    assert server.asked_of("files")
    assert all("authorization" not in one.headers for one in server.asked_of("files"))


def test_token_does_not_follow_the_api_to_another_origin(server: ReleaseServer) -> None:
    server.api_moved = True
    assert find(server).name == NAME
    assert [one.path.startswith("/moved") for one in server.asked_of("files")] == [True]
    assert "authorization" not in server.asked_of("files")[0].headers


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_redirect_to_something_that_is_no_web_is_refused(target: str, server: ReleaseServer, tmp_path: Path) -> None:
    server.redirect_to = target
    with pytest.raises(BuildRefused, match=r"refuses: HTTP 302|sends on to a place without https"):
        download(server, tmp_path)
    assert not list(tmp_path.glob("*.gz"))


def test_redirect_from_https_to_http_is_refused() -> None:
    request = urllib.request.Request("https://127.0.0.1/a?sig=secret")
    with pytest.raises(BuildRefused, match="sends on to a place without https") as refusal:
        Redirects().redirect_request(request, io.BytesIO(), 302, "Found", Message(), "http://127.0.0.1/b")
    assert "secret" not in str(refusal.value)


def test_asset_address_that_is_no_web_is_refused(server: ReleaseServer, tmp_path: Path) -> None:
    asset = Asset(NAME, 10, "0" * 64, "file:///etc/passwd")
    with pytest.raises(BuildRefused, match="no address of the web"):
        fetch(web_for(server), asset, tmp_path)
