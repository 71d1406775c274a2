"""When the parts of an answer are saved, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from llamero.models.errors import IoFailed
from llamero.services.chats.saving import SAVE_AFTER_S, SAVE_AT_BYTES, UNSAVED_LIMIT, PartialSaver
from tests.fakes.clock import FakeClock
from tests.process.support import eventually


class Disk:
    """A store that takes as long as a test wants, or fails."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.attempts = 0
        self.failing = False

    async def append(self, message_id: str, content: str, reasoning: str) -> None:
        self.attempts += 1
        await self.open.wait()
        if self.failing:
            raise IoFailed("storage_error-full", path="p", reason="r")
        self.parts.append((content, reasoning))

    @property
    def content(self) -> str:
        return "".join(content for content, _ in self.parts)


@asynccontextmanager
async def saving() -> AsyncIterator[tuple[PartialSaver, Disk, FakeClock]]:
    disk, clock = Disk(), FakeClock()
    saver = PartialSaver(disk, clock, "m")  # type: ignore[arg-type]
    task = asyncio.create_task(saver.run())
    try:
        yield saver, disk, clock
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def settle() -> None:
    """Let every task run until it waits."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_saver_saves_small_pieces_together_after_a_moment() -> None:
    async with saving() as (saver, disk, clock):
        await saver.add("a")
        await saver.add("", "r")
        await saver.add("b")
        assert await clock.remaining() == SAVE_AFTER_S
        clock.advance(SAVE_AFTER_S * 0.9)
        await settle()
        assert disk.attempts == 0
        clock.advance(SAVE_AFTER_S * 0.2)
        await eventually(lambda: disk.parts == [("ab", "r")])


async def test_saver_saves_much_at_once() -> None:
    async with saving() as (saver, disk, _):
        await saver.add("é" * (SAVE_AT_BYTES // 2))
        await eventually(lambda: len(disk.parts) == 1)
        await saver.add("x")
        await settle()
        assert len(disk.parts) == 1


async def test_saver_does_nothing_and_waits_for_no_time_while_nothing_comes() -> None:
    async with saving() as (saver, disk, clock):
        await saver.add("a")
        await clock.remaining()
        clock.advance(1)
        await eventually(lambda: disk.parts)
        await settle()
        assert clock._waits == {}
        clock.advance(3600)
        await settle()
        assert disk.attempts == 1


async def test_saver_lets_no_more_than_the_limit_be_unsaved() -> None:
    async with saving() as (saver, disk, _):
        disk.open.clear()
        taken = 0

        async def pour() -> None:
            nonlocal taken
            for _ in range(100):
                await saver.add("x" * 100)
                taken += 100

        pouring = asyncio.create_task(pour())
        await eventually(lambda: disk.attempts)
        await settle()
        assert UNSAVED_LIMIT - 100 <= taken <= UNSAVED_LIMIT
        disk.open.set()
        await pouring
        await eventually(lambda: len(disk.content) >= 10_000 - SAVE_AT_BYTES)
        assert max(len(content) for content, _ in disk.parts) <= UNSAVED_LIMIT + 100


async def test_saver_keeps_what_could_not_be_saved_and_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    async with saving() as (saver, disk, clock):
        disk.failing = True
        await saver.add("a" * SAVE_AT_BYTES)
        await eventually(lambda: disk.attempts == 1)
        for _ in range(50):
            await asyncio.wait_for(saver.add("b" * 100), 5)
        await settle()
        assert disk.attempts <= 2
        for _ in range(3):
            await clock.remaining()
            clock.advance(SAVE_AFTER_S)
            await settle()
        disk.failing = False
        await clock.remaining()
        clock.advance(SAVE_AFTER_S)
        await eventually(lambda: disk.parts)
        assert disk.content == "a" * SAVE_AT_BYTES + "b" * 5000
        await saver.add("c" * SAVE_AT_BYTES)
        await eventually(lambda: disk.content.endswith("c"))
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1
