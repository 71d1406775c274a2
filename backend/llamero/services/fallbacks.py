"""Fallback aliases at work: their targets are tried in order until one of them begins to answer.

Invariants: nothing of a target reaches the client before its answer has begun, so that whatever went before can be
left without a trace; after that nothing is tried any more. What the client gets when all have failed is what the last
one said. However fallbacks name each other, one request makes `MAX_ATTEMPTS` attempts at most.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass

import msgspec

from llamero.infrastructure.clock import Clock
from llamero.models.aliases import (
    Destination,
    FallbackDestination,
    LocalDestination,
    PausedTarget,
    RemoteDestination,
)
from llamero.models.errors import InvalidRequest, LlameroError, UpstreamFailed
from llamero.models.inference import InferenceRequest
from llamero.services.fallback import Cooldowns, Pause, cooldown_s, failure_status, falls_through, retry_after_s
from llamero.services.inspection.notes import note_fallback
from llamero.services.llama.deltas import refusal
from llamero.services.llama.passing import Block
from llamero.services.replies import OpenReply, is_event_stream

MAX_ATTEMPTS = 64
MAX_DEPTH = 8
_SAYS_SOMETHING = re.compile(rb"(?:\A|[\r\n])data:")

logger = logging.getLogger(__name__)

Resolve = Callable[[str], Awaitable[Destination]]
Open = Callable[[LocalDestination | RemoteDestination, InferenceRequest], AbstractAsyncContextManager[OpenReply]]


@dataclass
class _Walk:
    """One request on its way through the targets. `stack` holds what the reply that is chosen needs."""

    request: InferenceRequest
    stack: AsyncExitStack
    attempts: int = 0


class Fallbacks:
    """Tries targets. `resolve` says where a name leads, `open_one` asks a single model."""

    def __init__(self, resolve: Resolve, open_one: Open, clock: Clock) -> None:
        self._resolve = resolve
        self._open_one = open_one
        self._clock = clock
        self._cooldowns = Cooldowns()

    @asynccontextmanager
    async def open(self, destination: FallbackDestination, request: InferenceRequest) -> AsyncIterator[OpenReply]:
        """Open the reply of the first target that begins to answer.

        Raises what the last one raised when all fail, and InvalidRequest when fallbacks lead in a circle.
        """
        async with AsyncExitStack() as stack:
            yield await self._first(destination, _Walk(request, stack), (destination.alias,))

    def paused(self) -> tuple[PausedTarget, ...]:
        """Return the targets that are left alone now, those first that are tried again first."""
        now, offset = self._clock.monotonic(), self._clock.time() - self._clock.monotonic()
        pauses = sorted(self._cooldowns.paused(now).items(), key=lambda entry: entry[1].until)
        return tuple([_paused(target, pause, pause.until + offset) for target, pause in pauses])

    async def _first(self, fallback: FallbackDestination, walk: _Walk, chain: tuple[str, ...]) -> Begun:
        failed: Begun | LlameroError = UpstreamFailed(reason=f"{fallback.alias} has no targets")
        for target in self._cooldowns.order(fallback.targets, self._clock.monotonic()):
            if walk.attempts >= MAX_ATTEMPTS:
                break
            try:
                reply = await self._try(target, walk, chain)
            except LlameroError as error:
                if not falls_through(failure_status(error)):
                    raise
                failed, retry_after = error, error.retry_after
            else:
                if not falls_through(reply.status):
                    self._cooldowns.warm(target)
                    return reply
                failed, retry_after = reply, retry_after_s(reply.headers, self._clock.time())
            self._leave_alone(target, fallback, failed, retry_after)
        if isinstance(failed, LlameroError):
            raise failed
        return failed

    async def _try(self, target: str, walk: _Walk, chain: tuple[str, ...]) -> Begun:
        """Ask one target up to the beginning of its answer. Raises why it does not answer."""
        destination = await self._resolve(target)
        if isinstance(destination, FallbackDestination):
            if target in chain or len(chain) == MAX_DEPTH:
                raise InvalidRequest("fallback_error-circle", param="model", chain=" → ".join([*chain, target]))
            return await self._first(destination, walk, (*chain, target))
        walk.attempts += 1
        async with AsyncExitStack() as attempt:
            reply = await attempt.enter_async_context(self._open_one(destination, walk.request))
            begun = await _begin(reply, attempt)
            if not falls_through(begun.status):
                walk.stack.push_async_exit(attempt.pop_all())
            return begun

    def _leave_alone(
        self, target: str, fallback: FallbackDestination, failed: Begun | LlameroError, retry_after: float | None
    ) -> None:
        reason = failed if isinstance(failed, LlameroError) else failed.status
        why = f"it answered {reason}" if isinstance(reason, int) else str(reason)
        note_fallback(why)
        if isinstance(failed, Begun) and failed.could_not_read_the_request:
            return
        seconds = cooldown_s(fallback.cooldown_s, retry_after)
        self._cooldowns.cool(target, self._clock.monotonic(), seconds, reason)
        logger.warning("%s: %s is left alone for %.0f s: %s", fallback.alias, target, seconds, why)


def _paused(target: str, pause: Pause, until: float) -> PausedTarget:
    failed = pause.failed
    if isinstance(failed, int):
        return PausedTarget(target=target, until=until, code="alias-target_answered", arguments={"status": failed})
    return PausedTarget(target=target, until=until, code=failed.code, arguments=failed.arguments)


class Begun:
    """A reply whose beginning is here already, as `services.replies.OpenReply`."""

    def __init__(self, reply: OpenReply, beginning: Block, rest: AsyncIterator[Block]) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self._reply = reply
        self._beginning = beginning
        self._rest = rest

    @property
    def could_not_read_the_request(self) -> bool:
        """Is this a failure that says nothing of the target, which works for other requests?"""
        return self.status == 500 and isinstance(refusal(self.status, self._beginning.raw), InvalidRequest)

    @property
    def on_recovery(self) -> Callable[[], None]:
        """As in `OpenReply`; what was recovered before the answer began is not told."""
        return self._reply.on_recovery

    @on_recovery.setter
    def on_recovery(self, told: Callable[[], None]) -> None:
        self._reply.on_recovery = told

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self.blocks():
            yield block.raw

    async def blocks(self) -> AsyncIterator[Block]:
        """The whole reply in pieces."""
        yield self._beginning
        async for block in self._rest:
            yield block


async def _begin(reply: OpenReply, attempt: AsyncExitStack) -> Begun:
    """Wait for the beginning: the whole of a refusal, the first event of a stream that is no comment.

    Raises UpstreamFailed when there is none, or only the error why.
    """
    rest = aiter(reply.blocks())
    if isinstance(rest, AsyncGenerator):
        await attempt.enter_async_context(aclosing(rest))
    is_stream = is_event_stream(reply)
    async for block in rest:
        if is_stream and not _SAYS_SOMETHING.search(block.raw):
            continue
        failed = next((chunk.error for chunk in block.chunks if chunk.error is not None), None)
        if failed is not None:
            raise refusal(502, msgspec.json.encode({"error": failed}))
        return Begun(reply, block, rest)
    if is_stream:
        raise UpstreamFailed(reason="a stream that ended before it began")
    return Begun(reply, Block(b""), rest)
