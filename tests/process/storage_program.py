"""Programs around a database that tests kill or starve, run as processes of their own.

    python -m tests.process.storage_program rounds DATABASE WORKLOAD

Reads a seed per line from stdin. For each it forks (which is far cheaper than a new interpreter); the child prints
`pid N` and does the workload with that seed, printing what was acknowledged, until it is killed; then comes `dead`.

    python -m tests.process.storage_program lock DATABASE exclusive|immediate

Takes a lock, prints `held`, and gives it back when stdin ends.

    python -m tests.process.storage_program migrate DATABASE MIGRATIONS

Opens the database, with those migrations.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from msgspec.structs import replace

from llamero.infrastructure.clock import SystemClock
from llamero.infrastructure.messages import default_messages
from llamero.infrastructure.storage.chats import ChatStore
from llamero.infrastructure.storage.database import Database
from llamero.infrastructure.storage.metrics_history import MetricsHistoryStore
from llamero.infrastructure.storage.migrations import MIGRATIONS
from llamero.infrastructure.storage.opening import open_database
from llamero.models.bridge.chats import Progress, SendChatMessage
from llamero.models.chat import ChatDelta, TextDelta
from llamero.models.conversations import MessageStatus, Sampling
from llamero.models.metrics import HardwareMetrics, MetricsSnapshot
from llamero.models.metrics_history import HistoryRange
from llamero.services.chats.protocols import ChatMessages
from llamero.services.chats.service import ChatService
from llamero.services.history.service import HistoryService
from llamero.services.llama.activity import Activity
from tests.fakes.chats import RecordingPublisher
from tests.fakes.clock import FakeClock


def tell(line: str) -> None:
    os.write(1, f"{line}\n".encode())


async def write_for_ever(path: Path, seed: int) -> None:
    """Several writers at once: questions, parts of answers, their ends, new titles."""
    rng = random.Random(seed)
    database = await Database.open(path, migrations=MIGRATIONS)
    store = ChatStore(database, SystemClock())
    await store.recover()
    tell("open")

    async def converse(number: int) -> None:
        conversation: str | None = None
        while True:
            name = f"{seed}.{number}.{rng.random()}"
            asked = await store.ask(f"question {name}", "m", title=name, conversation_id=conversation)
            conversation, answer = asked.conversation.id, asked.assistant_message
            assert asked.user_message is not None
            tell(f"asked {asked.user_message.id} {name}")
            text = ""
            for part in range(rng.randrange(6)):
                text += f"part{part} "
                await store.append(answer.id, f"part{part} ", "")
                tell(f"part {answer.id} {part}")
            await store.finish(replace(answer, content=text, status=MessageStatus.COMPLETE))
            tell(f"ended {answer.id} {text}")
            await store.rename(conversation, f"renamed {name}")
            tell(f"renamed {conversation} renamed {name}")

    await asyncio.gather(*(converse(number) for number in range(3)))


class PacedModel:
    """Says numbered pieces, and when, a moment before it says each."""

    def __init__(self, piece_bytes: int, interval_s: float) -> None:
        self._piece_bytes = piece_bytes
        self._interval_s = interval_s

    async def ask(
        self, model: str, messages: ChatMessages, sampling: Sampling, on_progress: Callable[[Progress], None]
    ) -> AsyncGenerator[ChatDelta, None]:
        number = 0
        while True:
            await asyncio.sleep(self._interval_s)
            tell(f"said {number} {time.monotonic()}")
            yield TextDelta(f"{number} ".ljust(self._piece_bytes, "."))
            number += 1


async def answer_for_ever(path: Path, seed: int) -> None:
    """One question, and an answer without end: fast in uneven rounds, slow in even ones."""
    database = await Database.open(path)
    store = ChatStore(database, SystemClock())
    model = PacedModel(100, 0) if seed % 2 else PacedModel(4, 0.01)
    service = ChatService(store, model, RecordingPublisher(), SystemClock(), default_messages())
    asked = await service.send("w", SendChatMessage(text="go", model="m", on="__CHANNEL__:1"))
    tell(f"answering {asked.assistant_message.id}")
    await asyncio.Event().wait()


async def measure_for_ever(path: Path, seed: int) -> None:
    """A sample every 30 s of a clock of its own, which begins two hours after the last round's; says each."""
    clock = FakeClock(wall=1_800_000_000.0 + seed * 7200)
    history = HistoryService(MetricsHistoryStore(await Database.open(path)), clock, Activity(clock))
    while True:
        clock.advance(30)
        hardware = HardwareMetrics(at=clock.wall, monotonic=clock.now, cpu=seed)
        history.record(MetricsSnapshot(hardware=hardware))
        await history.history(
            HistoryRange.DAY
        )  # waits for the disk, which a clock that runs so fast would leave behind
        await asyncio.sleep(0.0005)
        tell(f"sampled {clock.wall}")


WORKLOADS = {"write": write_for_ever, "answer": answer_for_ever, "measure": measure_for_ever}


def rounds(path: Path, workload: str) -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                tell(f"pid {os.getpid()}")
                asyncio.run(WORKLOADS[workload](path, int(line)))
            finally:
                os._exit(1)
        os.waitpid(child, 0)
        tell("dead")


def lock(path: Path, kind: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    if kind == "exclusive":
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("PRAGMA user_version = 1")
    else:
        connection.execute("BEGIN IMMEDIATE")
    tell("held")
    sys.stdin.read()
    connection.execute("ROLLBACK")
    connection.close()


if __name__ == "__main__":
    if sys.argv[1] == "rounds":
        rounds(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1] == "lock":
        lock(Path(sys.argv[2]), sys.argv[3])
    else:
        open_database(Path(sys.argv[2]), Path(sys.argv[3]), 1.0).close()
