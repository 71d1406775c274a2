"""kill -9 at any moment: what was acknowledged is there, and of an answer under way at most a breath is missing."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.metrics_history import MetricsHistoryStore
from llamero.models.conversations import ConversationWithMessages, Message, MessageStatus
from llamero.models.metrics_history import HistoryRange, MetricsHistory
from llamero.services.history.service import BATCH_S, HistoryService
from llamero.services.llama.activity import Activity
from tests.fakes.clock import FakeClock
from tests.fakes.launch import REPOSITORY

ROUNDS = 200
ANSWERS = 24
PIECE = {"fast": 100, "slow": 4}


class Rounds:
    """The program that forks a child for each round."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def begin(self, seed: int) -> int:
        """Start a child; returns its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seed}\n")
        self._process.stdin.flush()
        return int(self.line().removeprefix("pid "))

    def line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")

    def lines_until_dead(self) -> Iterator[str]:
        while (line := self.line()) != "dead":
            assert line, "the program ended"
            yield line


@contextmanager
def rounds_of(workload: str, database: Path) -> Iterator[Rounds]:
    command = [sys.executable, "-m", "tests.process.storage_program", "rounds", str(database), workload]
    with subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Rounds(process)
        finally:
            process.kill()


async def everything(path: Path) -> tuple[dict[str, ConversationWithMessages], dict[str, Message]]:
    """Reopen as the app does, and read all there is."""
    database = await Database.open(path)
    store = ChatStore(database, SystemClock())
    await store.recover()
    found = {c.id: await store.conversation(c.id) for c in await store.conversations()}
    problems = await database.read(lambda c: c.execute("PRAGMA integrity_check").fetchall())
    await database.write(
        lambda c: c.execute("INSERT INTO message_search (message_search) VALUES ('integrity-check')").rowcount
    )
    await database.close()
    assert problems == [("ok",)]
    return found, {message.id: message for whole in found.values() for message in whole.messages}


def test_database_killed_200_times_keeps_every_acknowledged_row(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"
    rng = random.Random(20261)
    acknowledged: list[str] = []
    with rounds_of("write", path) as program:
        for seed in range(ROUNDS):
            pid = program.begin(seed)
            said = [program.line() for _ in range(rng.choice((0, 1, 5, 20, 60)))]
            time.sleep(rng.random() * 0.02)  # into the middle of something
            os.kill(pid, signal.SIGKILL)
            said += program.lines_until_dead()
            acknowledged += said
            if seed % 25 == 24:
                check(path, acknowledged)
    assert len([line for line in acknowledged if line.startswith("asked")]) > ROUNDS
    check(path, acknowledged)


def check(path: Path, acknowledged: list[str]) -> None:
    conversations, messages = asyncio.run(everything(path))
    titles: dict[str, list[str]] = {}
    for line in acknowledged:
        kind, _, rest = line.partition(" ")
        id, _, told = rest.partition(" ")
        if kind == "asked":
            assert messages[id].content == f"question {told}"
        elif kind == "part":
            assert f"part{told} " in messages[id].content
        elif kind == "ended":
            assert (messages[id].content, messages[id].status) == (told, MessageStatus.COMPLETE)
        elif kind == "renamed":
            titles.setdefault(id, []).append(told)
    for id, given in titles.items():
        title = conversations[id].conversation.title
        assert title == given[-1] or title not in given  # one whose acknowledgement was not heard
    for message in messages.values():
        assert message.status is not MessageStatus.STREAMING
        assert message.parent_id is None or message.parent_id in messages
        pieces = message.content.split()
        if message.model is not None:  # an answer
            assert pieces == [f"part{number}" for number in range(len(pieces))]
    for whole in conversations.values():
        assert whole.conversation.head in {message.id for message in whole.messages}


def test_app_killed_in_mid_answer_keeps_all_but_250_ms_or_2_kb(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"
    rng = random.Random(7)
    ages: list[float] = []  # how old the oldest missing piece was
    with rounds_of("answer", path) as program:
        for seed in range(ANSWERS):
            pid = program.begin(seed)
            while not (line := program.line()).startswith("answering"):
                assert line
            message_id = line.split()[1]
            said: list[tuple[int, float]] = []
            pause = time.monotonic() + 0.05 + rng.random() * 0.4
            while time.monotonic() < pause:
                number, at = program.line().split()[1:]
                said.append((int(number), float(at)))
            os.kill(pid, signal.SIGKILL)
            killed = time.monotonic()
            for line in program.lines_until_dead():
                number, at = line.split()[1:]
                said.append((int(number), float(at)))
            size = PIECE["fast" if seed % 2 else "slow"]
            message = asyncio.run(everything(path))[1][message_id]
            assert message.status is MessageStatus.INTERRUPTED
            whole = "".join(f"{number} ".ljust(size, ".") for number, _ in said)
            assert whole.startswith(message.content)
            missing = said[len(message.content) // size :]
            assert len(missing) * size <= 2048 + size, (seed, len(missing))
            ages.append(killed - missing[0][1] if missing else 0.0)
    # The machine may have been busy with something else in one of the rounds.
    assert sorted(ages)[-2] <= 0.25, ages


def test_history_killed_at_any_moment_lacks_one_batch_at_most(tmp_path: Path) -> None:
    path = tmp_path / "llamero.db"
    rng = random.Random(11)
    with rounds_of("measure", path) as program:
        for seed in range(10):
            pid = program.begin(seed)
            said = [program.line() for _ in range(rng.randrange(60, 200))]
            os.kill(pid, signal.SIGKILL)
            said += program.lines_until_dead()
            times = [float(line.split()[1]) for line in said]
            told = asyncio.run(past_of(path, times[-1]))
            # The batch that was being made, and the two buckets that it begins and ends with.
            assert times[-1] - told.times[-1] <= BATCH_S + 2 * told.resolution_s, seed
            assert list(told.times) == sorted(set(told.times))
            (load,) = [one.values for one in told.series if one.quantity == "cpu.load"]
            mine = [value for at, value in zip(told.times, load, strict=True) if at >= times[0]]
            assert set(mine) == {float(seed)}
            assert len(mine) >= (told.times[-1] - times[0]) / told.resolution_s - 1


async def past_of(path: Path, now: float) -> MetricsHistory:
    database = await Database.open(path)
    clock = FakeClock(wall=now)
    history = HistoryService(MetricsHistoryStore(database), clock, Activity(clock))
    told = await history.history(HistoryRange.DAY)
    await database.close()
    return told
