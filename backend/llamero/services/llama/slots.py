"""What the slots of the servers do while somebody looks: the one thing that an engine has to be asked.

An engine answers between two batches, so it may take its time. Invariants: nobody ever waits for it here, and no engine
is asked twice at once; only engines with a request under way are asked, and only while somebody looks; one that does
not say (`--no-slots`) is asked once in its life. Everything here belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Protocol

from llamero.infrastructure.llama.slots import slots_in_use
from llamero.models.errors import LlameroError
from llamero.models.llama import ServerPhase, ServerSnapshot
from llamero.models.metrics import SlotUse
from llamero.services.llama.protocols import Server

# What an engine says later than this is about another time.
ANSWER_S = 10.0

logger = logging.getLogger(__name__)

_Process = tuple[str, int]  # alias and generation


class Servers(Protocol):
    """Who knows the running servers: `services.llama.actor.LlamaActor`."""

    def server(self, alias: str, generation: int) -> Server | None:
        """A running server."""
        ...


class SlotReader:
    """Asks, and remembers what was said last."""

    def __init__(self, servers: Servers) -> None:
        self._servers = servers
        self._known: dict[_Process, SlotUse] = {}
        self._asking: dict[_Process, asyncio.Task[None]] = {}
        self._silent: set[_Process] = set()

    def look(self, servers: Iterable[ServerSnapshot]) -> dict[str, SlotUse]:
        """Return what these said since they were looked at last, by alias, and ask them again.

        Those that have no request under way have nothing to say. To look at none is to forget what is known.
        """
        busy = {(one.model.alias, one.generation) for one in servers if one.leases and one.phase is ServerPhase.READY}
        self._known = {process: use for process, use in self._known.items() if process in busy}
        for process in busy - self._asking.keys() - self._silent:
            self._asking[process] = asyncio.create_task(self._ask(process), name=f"slots of {process[0]}")
        return {alias: use for (alias, _), use in self._known.items()}

    async def close(self) -> None:
        """Ask no more."""
        for asking in self._asking.values():
            asking.cancel()
        await asyncio.gather(*self._asking.values(), return_exceptions=True)

    async def _ask(self, process: _Process) -> None:
        try:
            use = await self._answer(process)
        except (LlameroError, TimeoutError):  # it ends, or is too busy
            self._known.pop(process, None)
        else:
            if use is not None:
                self._known[process] = use
        finally:
            del self._asking[process]

    async def _answer(self, process: _Process) -> SlotUse | None:
        server = self._servers.server(*process)
        if server is None:
            return None
        async with asyncio.timeout(ANSWER_S), server.request("GET", "/slots") as reply:
            use = slots_in_use(await reply.read()) if reply.status == 200 else None
        if use is None:
            logger.debug("%s does not say what its slots do", process[0])
            self._silent = {one for one in self._silent if one[0] != process[0]} | {process}
        return use
