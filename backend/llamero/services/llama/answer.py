"""One request and its reply, which outlives the server that began it.

While a stream is relayed, what passes is read on the side (`received.py`). When the connection breaks, another lease
is taken and the answer goes on in the same stream (`recovery.py`); the reader sees a pause.

Invariants: only whole events are given out; nothing that was given out comes twice; the lease lives exactly as long as
the context of `open_answer`; an answer that cannot be healed ends in one typed error.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from llamero.models.chat import StreamChunk
from llamero.models.errors import UpstreamFailed
from llamero.models.llama import LaunchSpec
from llamero.services.llama.actor import Lease, LlamaActor
from llamero.services.llama.protocols import Reply
from llamero.services.llama.received import Received
from llamero.services.llama.recovery import (
    DISAGREES,
    AlreadySent,
    can_continue,
    continued_body,
    generated_text,
    token_limit_reached,
)
from llamero.services.llama.sse import SseEvent, SseSplitter, data_event

MAX_ATTEMPTS_WITHOUT_PROGRESS = 3
DEATH_NOTICE_S = 0.25  # how long a broken connection may take to turn out to be a death
DONE_EVENT = b"data: [DONE]\n\n"

logger = logging.getLogger(__name__)


class Block(msgspec.Struct, frozen=True):
    """Some whole events: their bytes, and what they say."""

    raw: bytes
    chunks: tuple[StreamChunk, ...] = ()


@asynccontextmanager
async def open_answer(
    actor: LlamaActor, spec: LaunchSpec, endpoint: str, body: dict[str, object]
) -> AsyncIterator[Answer]:
    """Send a request to the model and open its reply. Raises what the actor refuses with, or UpstreamFailed."""
    answer = Answer(actor, spec, endpoint, body)
    try:
        await answer.open()
        yield answer
    finally:
        await answer.close()


class Answer:
    """An open reply. Iterate for its bytes, or over `blocks` for the same with what they say; once."""

    def __init__(self, actor: LlamaActor, spec: LaunchSpec, endpoint: str, body: dict[str, object]) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.received = Received()
        self.recoveries = 0
        self._actor = actor
        self._spec = spec
        self._endpoint = endpoint
        self._body = _repeatable(body)
        self._lease: Lease | None = None
        self._connection = AsyncExitStack()
        self._reply: Reply | None = None
        self._whole: bytes | None = None
        self._attempts = 0
        self._progress_at_failure = -1
        self._may_continue = True
        self._continuing = False

    async def open(self) -> None:
        """Get the first reply. A server that dies before it has answered is replaced, as often as that is allowed."""
        self._lease = await self._actor.acquire(self._spec)
        while True:
            try:
                reply = await self._send(self._body)
                if reply.status != 200 or "text/event-stream" not in reply.headers.get("Content-Type", ""):
                    self._whole = await reply.read()
            except UpstreamFailed as broken:
                await self._next_lease(broken)
            else:
                self.status, self.headers = reply.status, reply.headers
                return

    async def close(self) -> None:
        """Cut the connection, which frees the slot, and give the lease back."""
        await self._connection.aclose()
        if self._lease is not None:
            self._lease.release()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for block in self.blocks():
            yield block.raw

    async def blocks(self) -> AsyncIterator[Block]:
        """The reply, healed where needed. Raises UpstreamFailed, or why there is no other server, when it ends here."""
        if self._whole is not None:
            yield Block(self._whole)
            return
        sent: AlreadySent | None = None
        while True:
            try:
                async for block in self._relay(sent):
                    yield block
                if self._is_complete():
                    break
                broken = UpstreamFailed(reason="the stream ended in the middle")
            except UpstreamFailed as error:
                broken = error
            if self._is_complete():
                break
            sent = await self._resume(broken)
            if sent is None:
                yield self._length_reached()
                break
        if not self.received.done and not self.received.failed:
            yield Block(DONE_EVENT)

    def _is_complete(self) -> bool:
        return self.received.done or self.received.failed or self.received.finished

    async def _send(self, body: dict[str, object]) -> Reply:
        """Open a connection for this body in the place of the former one."""
        await self._connection.aclose()
        request = self._held().server.request("POST", self._endpoint, msgspec.json.encode(body))
        self._reply = await self._connection.enter_async_context(request)
        return self._reply

    async def _relay(self, sent: AlreadySent | None) -> AsyncIterator[Block]:
        """Give out the events of the present connection. `sent` is taken out of a stream that started again."""
        splitter = SseSplitter()
        reply = self._reply
        if reply is None:
            return
        async for data in reply:
            block, problem = self._take(splitter.feed(data), sent)
            if block.raw:
                yield block
            if problem is not None:
                raise problem
        block, problem = self._take(splitter.finish(), sent)
        if block.raw:
            yield block
        if problem is not None:
            raise problem

    def _take(self, events: list[SseEvent], sent: AlreadySent | None) -> tuple[Block, UpstreamFailed | None]:
        """Count the events and say what to give out; a problem counts only after what came before it."""
        raw: list[bytes] = []
        chunks: list[StreamChunk] = []
        problem: UpstreamFailed | None = None
        for event in events:
            try:
                piece = self._take_one(event, sent, chunks)
            except UpstreamFailed as error:
                problem = error
                break
            raw.append(piece)
        return Block(b"".join(raw), tuple(chunks)), problem

    def _take_one(self, event: SseEvent, sent: AlreadySent | None, chunks: list[StreamChunk]) -> bytes:
        """Event names are dropped: a chat stream has none, and a client may act on one that a model made up."""
        if event.data is None:
            return event.raw if not event.name else b""
        data, raw = event.data, event.raw
        if sent is not None and data != b"[DONE]":
            rest = sent.rest_of(data)
            if rest is None:
                return b""
            data, raw = rest, data_event(rest)
        elif event.name:
            raw = data_event(data)
        chunk = self.received.add(data)
        if chunk is not None:
            chunks.append(chunk)
        return raw

    async def _resume(self, broken: UpstreamFailed) -> AlreadySent | None:
        """Make another server go on. None: there is nothing left to generate."""
        if broken.code == DISAGREES:
            if not self._continuing:
                raise broken
            self._may_continue = False
        while True:
            await self._next_lease(broken)
            try:
                return await self._restart()
            except UpstreamFailed as error:
                broken = error

    async def _restart(self) -> AlreadySent | None:
        self.recoveries += 1
        self._continuing = self._may_continue and can_continue(self._body, self.received)
        if self._continuing:
            tokens = await self._count_tokens(generated_text(self._body, self.received))
            if token_limit_reached(self._body, tokens):
                return None
            reply = await self._send(continued_body(self._body, self.received, tokens))
            if reply.status == 200:
                return AlreadySent(self.received, tokens_continued=tokens)
            self._continuing = self._may_continue = False
        reply = await self._send(self._body)
        if reply.status != 200:
            raise UpstreamFailed(reason=f"the engine answered {reply.status} to a repeated request")
        return AlreadySent(self.received)

    async def _count_tokens(self, text: str) -> int:
        request = self._held().server.request("POST", "/tokenize", msgspec.json.encode({"content": text}))
        async with request as reply:
            return len(msgspec.json.decode(await reply.read(), type=_Tokens).tokens)

    async def _next_lease(self, broken: UpstreamFailed) -> None:
        """Take a lease on the server that replaces this one, unless this has been tried too often in vain."""
        progress = sum(len(c.content) + len(c.reasoning) for c in self.received.choices.values())
        self._attempts = 1 if progress > self._progress_at_failure else self._attempts + 1
        self._progress_at_failure = progress
        if self._attempts > MAX_ATTEMPTS_WITHOUT_PROGRESS:
            raise broken
        await self._connection.aclose()
        former = self._held()
        died = await former.server_ended(DEATH_NOTICE_S)
        logger.warning("answer of %s: %s (%s)", self._spec.model.alias, broken, "engine died" if died else "connection")
        self._lease = await self._actor.acquire(self._spec, resumes=former.id)
        former.release()

    def _length_reached(self) -> Block:
        """The last event of an answer whose server died exactly at the client's token limit."""
        received = self.received
        choice = {"index": 0, "delta": {}, "finish_reason": "length"}
        chunk = {"id": received.id, "object": "chat.completion.chunk", "created": received.created}
        data = msgspec.json.encode({**chunk, "model": received.model, "choices": [choice]})
        known = received.add(data)
        return Block(data_event(data), (known,) if known is not None else ())

    def _held(self) -> Lease:
        if self._lease is None:
            raise UpstreamFailed(reason="the answer has not been opened")
        return self._lease


class _Tokens(msgspec.Struct):
    tokens: list[object]


def _repeatable(body: dict[str, object]) -> dict[str, object]:
    """The request with a seed of its own, so that a replay says the same."""
    if body.get("seed") in (None, -1) and body.get("stream"):
        return {**body, "seed": secrets.randbelow(2**31)}
    return body
