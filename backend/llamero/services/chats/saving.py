"""Saving an answer while it comes: at most 250 ms or 2 KB of it are not on their way to the disk.

Invariants: parts are saved in order and without gaps, one write at a time; what could not be saved is tried again with
what follows; while nothing new has come, nothing is done and no timer runs. An answer that comes faster than it can be
saved waits, unless saving does not work at all: then the answer goes on, and its end will tell.
"""

from __future__ import annotations

import asyncio
import logging

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.outage import Outage
from llamero.infrastructure.storage.chats import ChatStore

# Half of what is promised at most, so that the write itself has the other half.
SAVE_AFTER_S = 0.125
SAVE_AT_BYTES = 1024
UNSAVED_LIMIT = 2048

logger = logging.getLogger(__name__)


class PartialSaver:
    """Takes the pieces of one answer and saves them in parts, while `run` runs."""

    def __init__(self, store: ChatStore, clock: Clock, message_id: str) -> None:
        self._store = store
        self._clock = clock
        self._message_id = message_id
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._unsaved = 0  # bytes, those of a write under way included
        self._failing = False
        self._begun = asyncio.Event()  # something waits to be saved
        self._urgent = asyncio.Event()  # it is so much that it cannot wait
        self._room = asyncio.Event()
        self._outage = Outage(logger, "saving an answer")

    async def add(self, content: str = "", reasoning: str = "") -> None:
        """Take a piece; waits while the limit is reached."""
        self._content.append(content)
        self._reasoning.append(reasoning)
        self._unsaved += _bytes(content) + _bytes(reasoning)
        self._begun.set()
        if self._failing:
            return
        if self._unsaved >= SAVE_AT_BYTES:
            self._urgent.set()
        if self._unsaved >= UNSAVED_LIMIT:
            self._room.clear()
            await self._room.wait()

    async def run(self) -> None:
        """Save whenever it is time to; until cancelled, which does not undo a write that has begun."""
        while True:
            await self._begun.wait()
            await self._clock.wait(self._urgent, SAVE_AFTER_S)
            await self._save()

    async def _save(self) -> None:
        content, reasoning = "".join(self._content), "".join(self._reasoning)
        self._content, self._reasoning = [], []
        self._begun.clear()
        self._urgent.clear()
        try:
            await self._store.append(self._message_id, content, reasoning)
        except Exception as error:  # whatever is wrong, the answer itself goes on
            self._failing = True
            self._outage.failed(f"{type(error).__name__}: {error}")
            self._content.insert(0, content)
            self._reasoning.insert(0, reasoning)
            self._begun.set()
        else:
            self._failing = False
            self._outage.recovered()
            self._unsaved -= _bytes(content) + _bytes(reasoning)
        self._room.set()


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
