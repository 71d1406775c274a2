"""News of releases from a hostile place: refused is what is not signed, newer, secure, or what was announced.

The server is real, on loopback; only a test can let it be asked without TLS (`UpdateChannel.loopback`).
"""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from msgspec.structs import replace

from llamero.infrastructure.updates.channel import CHANNEL_FILE, UpdateChannel, own_target, read_channel
from llamero.infrastructure.updates.client import FEED_LIMIT, UpdateClient
from llamero.infrastructure.updates.signature import NotSigned, verify
from llamero.models.errors import Conflict, IoFailed, LlameroError, NotFound, UpstreamFailed
from llamero.services.updates import UpdateService
from tests.fakes.release_feed import NAME, PACKAGE, TARGET, ReleaseFeed, Signer, release_feed


@pytest_asyncio.fixture
async def feed() -> AsyncIterator[ReleaseFeed]:
    async with release_feed() as feed:
        feed.release()
        yield feed


def service(feed: ReleaseFeed, folder: Path, current: str = "0.1.0") -> UpdateService:
    return UpdateService(UpdateClient(feed.channel), current, TARGET, folder / "updates")


def saved(folder: Path) -> tuple[bytes, int]:
    """The package that was fetched, and its permissions."""
    file = folder / "updates" / NAME
    return file.read_bytes(), file.stat().st_mode & 0o777


def begun(folder: Path) -> Path:
    """Where what has come of the package is kept until it is whole."""
    return folder / "updates" / f"{NAME}.{hashlib.sha256(PACKAGE).hexdigest()[:16]}.part"


async def refusal(updates: UpdateService) -> str:
    with pytest.raises(LlameroError) as refused:
        await updates.check()
    return refused.value.code


async def test_update_that_is_newer_is_told_and_fetched_when_asked_for(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates, downloaded = service(feed, tmp_path), list[str]()
    updates.on_downloaded = downloaded.append
    report = await updates.check()
    assert (report.newest, report.newer, report.page) == ("0.2.0", True, "https://example.com/releases/0.2.0")
    assert not (await asyncio.to_thread((tmp_path / "updates").exists))  # looking fetches nothing
    report = await updates.download()
    assert report.path == str(tmp_path / "updates" / NAME)
    assert saved(tmp_path) == (PACKAGE, 0o600)  # whole, and no program that could be started by a slip
    assert (downloaded, report.done) == ([NAME], None)


async def test_update_check_says_nothing_about_who_asks(feed: ReleaseFeed, tmp_path: Path) -> None:
    await service(feed, tmp_path).check()
    headers = {name for request in feed.requests for name in request.headers}
    assert headers <= {"Host", "User-Agent", "Accept", "Accept-Encoding"}
    assert {request.headers["User-Agent"] for request in feed.requests} == {"Llamero"}
    assert {request.query_string for request in feed.requests} == {""}


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "0.1"])
async def test_update_that_is_not_newer_is_no_news_and_cannot_be_fetched(
    feed: ReleaseFeed, tmp_path: Path, version: str
) -> None:
    feed.release(version)
    updates = service(feed, tmp_path)
    report = await updates.check()
    assert (report.newest, report.newer, report.file) == (version, False, None)
    with pytest.raises(NotFound):
        await updates.download()


async def test_update_after_a_newer_one_was_told_cannot_lead_back(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates = service(feed, tmp_path)
    await updates.check()
    feed.release("0.0.1")
    assert not (await updates.check()).newer
    with pytest.raises(NotFound):
        await updates.download()


async def test_feed_signed_by_another_key_is_not_believed(feed: ReleaseFeed, tmp_path: Path) -> None:
    feed.publish(feed.files["/latest.json"], Signer().sign(feed.files["/latest.json"]))
    assert await refusal(service(feed, tmp_path)) == "update_error-not_signed"


async def test_feed_that_was_changed_after_signing_is_not_believed(feed: ReleaseFeed, tmp_path: Path) -> None:
    feed.files["/latest.json"] = feed.files["/latest.json"].replace(b"0.2.0", b"0.3.0", 1)
    assert await refusal(service(feed, tmp_path)) == "update_error-not_signed"


@pytest.mark.parametrize("signature", ["", "\n\n\n\n", "x\nAAAA\ntrusted comment: y\nAAAA\n", "ü" * 1000])
async def test_feed_with_a_signature_that_is_none_is_not_believed(
    feed: ReleaseFeed, tmp_path: Path, signature: str
) -> None:
    feed.publish(feed.files["/latest.json"], signature)
    assert await refusal(service(feed, tmp_path)) == "update_error-not_signed"


async def test_feed_with_another_trusted_comment_is_not_believed(feed: ReleaseFeed, tmp_path: Path) -> None:
    content = feed.files["/latest.json"]
    feed.publish(content, feed.signer.sign(content).replace("timestamp:1", "timestamp:2"))
    assert await refusal(service(feed, tmp_path)) == "update_error-not_signed"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"junk",
        b"[]",
        b'{"version": "newest", "page": "https://example.com"}',
        b'{"version": "1.0\\n", "page": "https://example.com"}',
        b'{"version": "1.0", "page": "https://example.com", "files": [{"name": "../x"}]}',
        b"\xff\xfe",
    ],
)
async def test_feed_that_is_signed_junk_is_refused(feed: ReleaseFeed, tmp_path: Path, content: bytes) -> None:
    feed.publish(content)
    assert await refusal(service(feed, tmp_path)) == "update_error-unreadable"


@pytest.mark.parametrize("name", ["../../.bashrc", "/etc/passwd", ".profile", "a/b", "a\\b", "x" * 200, "a\nb", ""])
async def test_package_whose_name_is_a_path_is_refused(feed: ReleaseFeed, tmp_path: Path, name: str) -> None:
    feed.release(name=name)
    assert await refusal(service(feed, tmp_path)) == "update_error-unreadable"


async def test_feed_without_an_end_is_not_read(feed: ReleaseFeed, tmp_path: Path) -> None:
    feed.publish(b" " * (FEED_LIMIT + 1))
    assert await refusal(service(feed, tmp_path)) == "update_error-too_large"


@pytest.mark.parametrize(
    "address",
    ["http://example.com/latest.json", "file:///etc/passwd", "ftp://example.com/x", "//example.com/x", "http://["],
)
async def test_feed_that_leads_to_what_is_not_secure_is_not_followed(
    feed: ReleaseFeed, tmp_path: Path, address: str
) -> None:
    feed.redirects["/latest.json"] = address
    assert await refusal(service(feed, tmp_path)) == "update_error-insecure"


async def test_feed_that_leads_elsewhere_and_back_is_followed_and_not_for_ever(
    feed: ReleaseFeed, tmp_path: Path
) -> None:
    feed.files["/moved.json"] = feed.files["/latest.json"]
    feed.redirects["/latest.json"] = "/moved.json"
    assert (await service(feed, tmp_path).check()).newer
    feed.redirects["/moved.json"] = "/latest.json"
    assert await refusal(service(feed, tmp_path)) == "update_error-unreachable"


async def test_loopback_without_tls_is_for_tests_alone(feed: ReleaseFeed, tmp_path: Path) -> None:
    channel = replace(feed.channel, loopback=False)
    updates = UpdateService(UpdateClient(channel), "0.1.0", TARGET, tmp_path)
    assert await refusal(updates) == "update_error-insecure"
    assert feed.requests == []
    (tmp_path / CHANNEL_FILE).write_bytes(msgspec.json.encode(feed.channel))
    assert read_channel(tmp_path) == channel


async def test_feed_of_a_machine_without_a_network_says_so(tmp_path: Path) -> None:
    for address in ("https://127.0.0.1:1/latest.json", "https://no-such-host.invalid/latest.json"):
        updates = UpdateService(UpdateClient(UpdateChannel(feed=address, key="")), "0.1.0", TARGET, tmp_path)
        assert await refusal(updates) == "update_error-unreachable"


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"sha256": "0" * 64}, "update_error-wrong_digest"),
        ({"size": len(PACKAGE) - 1}, "update_error-wrong_digest"),
        ({"size": len(PACKAGE) + 1}, "update_error-wrong_digest"),
        ({"url": "http://example.com/x.deb"}, "update_error-insecure"),
        ({"url": "file:///etc/passwd"}, "update_error-insecure"),
    ],
)
async def test_package_that_is_not_what_was_announced_is_removed(
    feed: ReleaseFeed, tmp_path: Path, told: dict[str, object], code: str
) -> None:
    feed.release(**told)
    updates = service(feed, tmp_path)
    await updates.check()
    with pytest.raises(UpstreamFailed) as refused:
        await updates.download()
    assert refused.value.code == code
    assert list((tmp_path / "updates").iterdir()) == []
    assert (updates.report.path, updates.report.done) == (None, None)


async def test_package_is_not_written_through_a_link_that_stands_in_its_place(
    feed: ReleaseFeed, tmp_path: Path
) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (tmp_path / "updates").mkdir()
    begun(tmp_path).symlink_to(precious)
    updates = service(feed, tmp_path)
    await updates.check()
    with pytest.raises(IoFailed):
        await updates.download()
    assert precious.read_text() == "mine"


async def test_download_that_is_cut_goes_on_where_it_was(feed: ReleaseFeed, tmp_path: Path) -> None:
    feed.cuts = [300_000, 400_000]
    updates = service(feed, tmp_path)
    await updates.check()
    had = [0]
    for _ in feed.cuts.copy():
        with pytest.raises(UpstreamFailed) as refused:
            await updates.download()
        assert (refused.value.code, updates.report.done) == ("update_error-cut_off", None)
        had.append(begun(tmp_path).stat().st_size)
    assert 0 < had[1] < had[2] <= 700_000
    await updates.download()
    assert saved(tmp_path)[0] == PACKAGE
    assert [path.name for path in (tmp_path / "updates").iterdir()] == [NAME]
    asked = [request.headers.get("Range") for request in feed.requests if request.path == f"/{NAME}"]
    assert asked == [None, f"bytes={had[1]}-", f"bytes={had[2]}-"]


async def test_download_that_goes_on_where_the_server_knows_no_ranges_begins_anew(
    feed: ReleaseFeed, tmp_path: Path
) -> None:
    feed.cuts, feed.ranges = [300_000], False
    updates = service(feed, tmp_path)
    await updates.check()
    with pytest.raises(UpstreamFailed):
        await updates.download()
    await updates.download()
    assert saved(tmp_path)[0] == PACKAGE


@pytest.mark.parametrize("left", [b"not what was announced", PACKAGE + b"and more", b"x" * len(PACKAGE)])
async def test_download_after_what_is_not_the_same_file_is_refused_once_and_then_begins_anew(
    feed: ReleaseFeed, tmp_path: Path, left: bytes
) -> None:
    updates = service(feed, tmp_path)
    await updates.check()
    begun(tmp_path).parent.mkdir()
    begun(tmp_path).write_bytes(left)
    with pytest.raises(UpstreamFailed) as refused:
        await updates.download()
    assert refused.value.code == "update_error-wrong_digest"
    assert list((tmp_path / "updates").iterdir()) == []
    await updates.download()
    assert saved(tmp_path)[0] == PACKAGE


async def test_download_of_a_server_whose_file_is_shorter_than_what_is_here_begins_anew(
    feed: ReleaseFeed, tmp_path: Path
) -> None:
    feed.cuts = [300_000]
    updates = service(feed, tmp_path)
    await updates.check()
    with pytest.raises(UpstreamFailed):
        await updates.download()
    feed.files[f"/{NAME}"] = b"short"
    with pytest.raises(UpstreamFailed):
        await updates.download()
    feed.files[f"/{NAME}"] = PACKAGE
    await updates.download()
    assert saved(tmp_path)[0] == PACKAGE


async def test_download_removes_what_was_begun_of_other_releases(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates = service(feed, tmp_path)
    await updates.check()
    (tmp_path / "updates").mkdir()
    (tmp_path / "updates" / "llamero_0.1.5_amd64.deb.0123456789abcdef.part").touch()
    await updates.download()
    assert [path.name for path in (tmp_path / "updates").iterdir()] == [NAME]


async def test_second_download_at_once_is_refused(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates = service(feed, tmp_path)
    await updates.check()
    refused = list[str]()

    async def again() -> None:
        with pytest.raises(Conflict) as error:
            await updates.download()
        refused.append(error.value.code)

    await asyncio.gather(updates.download(), again())
    assert refused == ["update_error-under_way"]


async def test_update_for_another_system_offers_its_page_alone(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates = UpdateService(UpdateClient(feed.channel), "0.1.0", "windows-arm64", tmp_path)
    report = await updates.check()
    assert (report.newer, report.file, report.page) == (True, None, "https://example.com/releases/0.2.0")


async def test_build_without_a_feed_says_so(tmp_path: Path) -> None:
    assert read_channel(tmp_path) is None
    updates = UpdateService(None, "0.1.0", TARGET, tmp_path)
    assert not updates.report.possible
    with pytest.raises(NotFound):
        await updates.check()


async def test_looking_daily_asks_nobody_unless_the_person_wants_it(feed: ReleaseFeed, tmp_path: Path) -> None:
    updates, slept, wanted = service(feed, tmp_path), list[float](), [False, True]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) > 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await updates.look_daily(lambda: wanted.pop(0) if wanted else False, sleep)
    assert slept == [60.0, 86_400.0, 86_400.0, 86_400.0]
    assert [request.path for request in feed.requests] == ["/latest.json", "/latest.json.minisig"]
    assert updates.report.newer


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")
def test_signature_of_minisign_itself_is_understood(tmp_path: Path) -> None:
    file = tmp_path / "latest.json"
    file.write_bytes(b'{"version": "1.0"}')
    keys = ["-p", tmp_path / "key.pub", "-s", tmp_path / "key"]
    subprocess.run(["minisign", "-G", "-W", *keys], check=True, capture_output=True)
    subprocess.run(["minisign", "-S", "-m", file, "-t", "of a test", *keys[2:]], check=True, capture_output=True)
    key = (tmp_path / "key.pub").read_text().splitlines()[1]
    signature = (tmp_path / "latest.json.minisig").read_text()
    verify(file.read_bytes(), signature, key)
    with pytest.raises(NotSigned):
        verify(file.read_bytes() + b" ", signature, key)
    with pytest.raises(NotSigned):
        verify(file.read_bytes(), signature, Signer().public)


@pytest.mark.parametrize(
    ("system", "machine", "environment", "program", "target"),
    [
        ("linux", "x86_64", {}, "/usr/lib/llamero/llamero", "linux-x86_64-deb"),
        ("linux", "x86_64", {}, "/home/somebody/.local/lib/llamero/llamero", "linux-x86_64-tar"),
        ("linux", "aarch64", {"APPIMAGE": "/x"}, "/tmp/.mount_x/usr/lib/llamero/llamero", "linux-arm64-appimage"),
        ("win32", "AMD64", {}, "llamerow.exe", "windows-x86_64"),
        ("darwin", "arm64", {}, "/Applications/Llamero.app/Contents/MacOS/llamero", "macos-arm64"),
    ],
)
def test_package_that_suits_is_the_kind_that_this_program_came_in(
    system: str, machine: str, environment: dict[str, str], program: str, target: str
) -> None:
    assert own_target(machine, environment, system, program) == target
