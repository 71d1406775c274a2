"""When an engine that was started is ready: it says so itself, or is polled, and proves that it is the one we started.

Invariants: nothing is called ready that has not shown that it knows its key, since by then another program may listen
on the port that was chosen for it; what polling adds to a load is a small share of the load.
"""

from __future__ import annotations

import asyncio
import contextlib

from llamero.infrastructure.clock import Clock
from llamero.infrastructure.llama.engine_lines import EngineLines
from llamero.infrastructure.llama.upstream import Upstream
from llamero.infrastructure.processes.output import OutputRing
from llamero.models.errors import HealthCheckFailed, StartTimedOut

FIRST_POLL_S = 0.025  # only where an engine does not say itself that it is ready
LONGEST_POLL_S = 0.25
POLL_SHARE = 0.02  # of the time waited so far: polling adds at most this share to a load
HEALTH_TIMEOUT_S = 2.0
PROOF_TIMEOUT_S = 10.0
READY_WORDS = "server is listening"  # what llama-server logs when it is; only a reason to ask it at once
LOADING = 503  # what llama-server answers to anything while it loads its model, with or without a key


class Announcement:
    """An engine's own word that it listens, taken from its output."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard = asyncio.Event()

    def notice(self, line: str) -> None:
        """Look at a line, on whatever thread reads the output."""
        if READY_WORDS in line:
            with contextlib.suppress(RuntimeError):  # the loop has ended before the engine
                self._loop.call_soon_threadsafe(self._heard.set)

    def take(self) -> bool:
        """Was it heard since the last time?"""
        heard = self._heard.is_set()
        self._heard.clear()
        return heard

    async def wait(self, seconds: float) -> None:
        """Wait until it is heard, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._heard.wait()


class Readiness:
    """Looks out for one engine."""

    def __init__(
        self, upstream: Upstream, announcement: Announcement, output: OutputRing, lines: EngineLines, clock: Clock
    ) -> None:
        self._upstream = upstream
        self._announcement = announcement
        self._output = output
        self._lines = lines
        self._clock = clock

    async def wait(self, timeout_s: float) -> bytes:
        """Wait until it is ready; returns its `/props`.

        Raises StartTimedOut when it neither gets ready nor writes anything for so long, HealthCheckFailed when what
        answers on the port is not the engine.
        """
        started = self._clock.monotonic()
        while (properties := await self._look()) is None:
            now = self._clock.monotonic()
            if now - max(started, self._output.last_output_at) > timeout_s:
                raise StartTimedOut(seconds=round(timeout_s))
            await self._announcement.wait(min(LONGEST_POLL_S, max(FIRST_POLL_S, (now - started) * POLL_SHARE)))
        return properties

    async def _look(self) -> bytes | None:
        """One poll. An engine that says that it listens is asked for its proof without being asked how it is."""
        announced = self._announcement.take()
        if not announced and await self._upstream.status("/health", with_key=False, timeout_s=HEALTH_TIMEOUT_S) != 200:
            return None
        with_key, without, properties = await self._ask_for_proof()
        if (with_key, without) == (200, 401):
            return properties
        if announced or LOADING in (with_key, without):
            return None  # what it says of itself is no more than a reason to look
        raise HealthCheckFailed(reason=f"port {self._upstream.port} is answered by another program")

    async def _ask_for_proof(self) -> tuple[int | None, int | None, bytes]:
        """Only the engine knows the key: it must let the key in and keep a request without one out.

        Returns the two statuses, and what it lets us see, which says what it takes at once.
        """
        self._lines.expect_refusal()
        (with_key, properties), without = await asyncio.gather(
            self._upstream.get("/props", timeout_s=PROOF_TIMEOUT_S),
            self._upstream.status("/props", with_key=False, timeout_s=PROOF_TIMEOUT_S),
        )
        return with_key, without, properties
