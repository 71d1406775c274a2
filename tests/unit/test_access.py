"""Who is let in by which key: with keys in a real database, made and revoked by another connection to it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import stat
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import msgspec
import pytest

from llamero.infrastructure.key_digest import digest
from llamero.infrastructure.storage.api_keys import ApiKeyStore
from llamero.infrastructure.storage.database import Database
from llamero.models.access import KeyTerms, Scope
from llamero.models.errors import AuthenticationFailed, Conflict, Forbidden, LlameroError, NotFound, RateLimited
from llamero.services.access import ANYBODY, USE_INTERVAL_S, AccessService
from tests.fakes.clock import FakeClock


class World:
    """A service, and a store on a second connection, as the command line has one beside a running Llamero."""

    def __init__(self, database: Database, elsewhere: Database) -> None:
        self.database = database
        self.clock = FakeClock()
        self.store = ApiKeyStore(database, self.clock)
        self.elsewhere = ApiKeyStore(elsewhere, self.clock)
        self.access = AccessService(self.store, self.clock, required=True)

    async def code(self, *presented: str) -> str:
        with pytest.raises(LlameroError) as refusal:
            await self.access.identify(presented)
        assert isinstance(refusal.value, AuthenticationFailed)
        return refusal.value.code


@asynccontextmanager
async def world(directory: Path) -> AsyncIterator[World]:
    database = await Database.open(directory / "llamero.db")
    elsewhere = await Database.open(directory / "llamero.db")
    made = World(database, elsewhere)
    try:
        yield made
    finally:
        await made.access.close()
        await elsewhere.close()
        await database.close()


async def test_key_made_and_revoked_elsewhere_counts_from_the_next_request_on(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        assert await w.code() == "access_error-missing_api_key"
        made = await w.elsewhere.create(KeyTerms(name="editor"))
        visitor = await w.access.identify([made.secret])
        assert visitor.key is not None
        assert visitor.key.name == "editor"
        await w.elsewhere.revoke("editor")
        assert await w.code(made.secret) == "access_error-key_revoked"


async def test_requests_that_come_while_keys_are_read_wait_for_them(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = await w.elsewhere.create(KeyTerms(name="editor"))
        await w.access.identify([made.secret])
        await w.elsewhere.revoke("editor")
        outcomes = await asyncio.gather(*(w.access.identify([made.secret]) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(outcome, AuthenticationFailed) for outcome in outcomes)


def files_of(directory: Path) -> dict[str, bytes]:
    files = [file for file in directory.iterdir() if not file.name.endswith("-shm")]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    return {file.name: file.read_bytes() for file in files}


async def test_secret_is_long_random_and_nowhere_on_the_disk(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = [await w.store.create(KeyTerms(name=f"k{number}")) for number in range(3)]
        assert len({one.secret for one in made}) == 3
        for one in made:
            assert one.secret.startswith("llk_")
            assert len(one.secret) == 4 + 43  # 256 bits
            assert one.secret not in repr(one)
            assert one.secret.startswith(one.key.start)
        files = files_of(tmp_path)
    for one in made:
        assert not any(one.secret.encode() in content for content in files.values())
        assert any(digest(one.secret) in content for content in files.values())


async def test_name_is_taken_until_its_key_is_revoked(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        first = await w.store.create(KeyTerms(name="editor"))
        with pytest.raises(Conflict):
            await w.elsewhere.create(KeyTerms(name="editor"))
        await w.store.revoke("editor")
        with pytest.raises(NotFound):
            await w.store.revoke("editor")
        second = await w.store.create(KeyTerms(name="editor"))
        assert [key.id for key in await w.store.listed()] == [second.key.id]
        assert (await w.access.identify([second.secret])).key is not None
        assert await w.code(first.secret) == "access_error-key_revoked"


async def test_key_expires_on_its_day(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = await w.store.create(KeyTerms(name="guest", days=1))
        w.clock.advance(86_399)
        await w.access.identify([made.secret])
        w.clock.advance(2)
        assert await w.code(made.secret) == "access_error-key_expired"
        assert not await w.access.has_keys()


async def test_where_no_key_is_required_any_bearer_will_do_but_ours_are_known(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        access = AccessService(w.store, w.clock, required=False)
        made = await w.store.create(KeyTerms(name="editor"))
        for presented in ([], ["not-needed"], ["llk_" + "x" * 43]):
            assert await access.identify(presented) is ANYBODY
        known = await access.identify([made.secret])
        with pytest.raises(Forbidden):
            known.require(Scope.MANAGEMENT)
        await w.store.revoke("editor")
        with pytest.raises(AuthenticationFailed):
            await access.identify([made.secret])
        await access.close()


async def test_configured_key_may_do_all_and_either_header_will_do(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        access = AccessService(w.store, w.clock, required=True, configured="of mine")
        for presented in (["of mine"], ["wrong", "of mine"], ["of mine", "wrong"]):
            visitor = await access.identify(presented)
            for scope in Scope:
                visitor.require(scope)
        with pytest.raises(AuthenticationFailed):
            await access.identify(["of min", "of minee", "\udcff"])
        assert "of mine" not in repr(access)


async def test_rate_is_counted_across_reloads_and_only_for_its_key(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        limited = await w.store.create(KeyTerms(name="limited", requests_per_minute=2))
        free = await w.store.create(KeyTerms(name="free"))
        for _ in range(2):
            (await w.access.identify([limited.secret])).count_request()
            await w.elsewhere.create(KeyTerms(name=f"another {time.monotonic_ns()}"))
        with pytest.raises(RateLimited) as refusal:
            (await w.access.identify([limited.secret])).count_request()
        assert refusal.value.retry_after == pytest.approx(30)
        (await w.access.identify([free.secret])).count_request()
        w.clock.advance(30)
        (await w.access.identify([limited.secret])).count_request()


async def test_streams_at_once_are_limited_and_free_again_when_they_end(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = await w.store.create(KeyTerms(name="editor", streams=1))
        visitor = await w.access.identify([made.secret])
        with visitor.stream(), pytest.raises(RateLimited), (await w.access.identify([made.secret])).stream():
            pass
        with pytest.raises(ValueError), visitor.stream():
            raise ValueError
        with visitor.stream():
            pass


async def test_last_use_is_written_at_most_once_a_minute(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = await w.store.create(KeyTerms(name="editor"))
        assert (await w.store.listed())[0].last_used_at is None
        first = w.clock.time()
        for _ in range(3):
            await w.access.identify([made.secret])
            w.clock.advance(1)
        await w.access.close()
        assert (await w.store.listed())[0].last_used_at == first
        w.clock.advance(USE_INTERVAL_S)
        await w.access.identify([made.secret])
        await w.access.close()
        assert (await w.store.listed())[0].last_used_at == w.clock.time()


async def test_last_use_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with world(tmp_path) as w:
        made = await w.store.create(KeyTerms(name="editor"))
        await w.access.has_keys()
        with closing(sqlite3.connect(tmp_path / "llamero.db", isolation_level=None)) as somebody:
            somebody.execute("BEGIN IMMEDIATE")
            assert (await w.access.identify([made.secret])).key is not None
            await w.access.close()
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


async def test_looking_for_an_unknown_key_takes_as_long_as_for_a_known_one(tmp_path: Path) -> None:
    async with world(tmp_path) as w:
        made = [await w.store.create(KeyTerms(name=f"key {number}")) for number in range(50)]
        unknown = made[0].secret[:-1] + ("A" if made[0].secret[-1] != "A" else "B")
        await w.access.has_keys()

        def fastest(key: str) -> float:
            times = []
            for _ in range(2000):
                began = time.perf_counter()
                w.access._find(key)
                times.append(time.perf_counter() - began)
            return min(times)

        known_s, unknown_s = fastest(made[0].secret), fastest(unknown)
        assert unknown_s == pytest.approx(known_s, rel=0.5)


@pytest.mark.parametrize("name", ["", " x", "-x", "a\nb", "ä", "x" * 65, "a/b"])
def test_name_that_cannot_be_shown_is_refused(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name}, KeyTerms)
