"""One request and its reply, which outlives the server that began it.

While a chat or a completion is relayed, what passes is read on the side (`passing.py`, `received.py`). When the
connection breaks, another lease is taken and the answer goes on in the same stream (`continuing.py`, `recovery.py`);
the reader sees a pause. Of other streams only the first byte is waited for in this way: what they say is not read here.

Invariants: pulled or pushed, the reader gets the same; the lease lives exactly as long as the context of `open_answer`;
an answer that cannot be healed ends in one typed error; the model has the name that it was asked for by, also where a
server that was started under another name of the same file answers.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager

import msgspec

from llamero.models.chat import Timings, TokenCounts
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import Form
from llamero.models.llama import LaunchSpec
from llamero.services.inspection.notes import note_granted, note_recovery, note_sent, note_waiting
from llamero.services.llama.actor import LlamaActor
from llamero.services.llama.continuing import continuation_of, token_limit_reached
from llamero.services.llama.lease import Lease
from llamero.services.llama.passing import Block, Passing, PassingSink
from llamero.services.llama.protocols import Reply, Sink
from llamero.services.llama.question import Question, renaming
from llamero.services.llama.received import DONE, Received, timings_of_whole, tokens_of_whole
from llamero.services.llama.recovery import DISAGREES, AlreadySent
from llamero.services.llama.sse import data_event

MAX_ATTEMPTS_WITHOUT_PROGRESS = 3
DEATH_NOTICE_S = 1.0  # how long a broken connection may take to turn out to be a death
DONE_EVENT = data_event(DONE)

logger = logging.getLogger(__name__)


def open_answer(
    actor: LlamaActor,
    spec: LaunchSpec,
    endpoint: str,
    body: dict[str, object],
    *,
    method: str = "POST",
    form: Form | None = None,
) -> AbstractAsyncContextManager[Answer]:
    """Send a request to the model and open its reply. Raises what the actor refuses with, or UpstreamFailed."""
    return Answer(actor, spec, Question(endpoint=endpoint, body=body, method=method, form=form))


class Answer:
    """A reply, open within its context.

    Iterate for its bytes, over `blocks` for the same with what they say, or `pour` them; one of them, once.
    `continuations` and `replays` count how often another server took over, by either way; `on_recovery` is called
    when that begins, with the pause still to come.
    """

    def __init__(self, actor: LlamaActor, spec: LaunchSpec, question: Question) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.continuations = 0
        self.replays = 0
        self.on_recovery: Callable[[], None] = lambda: None
        self._actor = actor
        self._spec = spec
        self._question = question.repeatable()
        self._received = Received(choices_wanted=question.choices)
        self._lease: Lease | None = None
        self._passing: Passing | None = None
        self._connection: AbstractAsyncContextManager[Reply] | None = None
        self._reply: Reply | None = None
        self._whole: bytes | None = None
        self._attempts = 0
        self._progress_at_failure = -1
        self._may_continue = True
        self._continuing = False

    @property
    def tokens(self) -> TokenCounts:
        """How many tokens there were, as far as it is known by now."""
        return self._received.tokens if self._whole is None else tokens_of_whole(self._whole)

    @property
    def timings(self) -> Timings | None:
        """The engine's own clock, once it has told it: at the end of an answer."""
        return self._received.timings if self._whole is None else timings_of_whole(self._whole)

    @property
    def served_by(self) -> str:
        """The name that the server was started under, which may be another one of the same file's."""
        return self._held().alias

    @property
    def is_whole(self) -> bool:
        """Does it come in one piece, so that nothing is known of it before its end?"""
        return self._whole is not None

    def when_first_piece(self, tell: Callable[[], None]) -> None:
        """Have `tell` called once, when the first piece of a stream has come."""
        self._received.on_first_piece = tell

    async def __aenter__(self) -> Answer:
        try:
            await self._open()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close()

    async def _open(self) -> None:
        """Get the first reply. A server that dies before it has answered is replaced, as often as that is allowed."""
        note_waiting()
        self._lease = await self._actor.acquire(self._spec)
        note_granted(self._lease.load)
        while True:
            try:
                reply = await self._send(self._question.body)
                if reply.status != 200 or "text/event-stream" not in reply.headers.get("Content-Type", ""):
                    self._whole = self._renamed(await reply.read())
            except UpstreamFailed as broken:
                await self._next_lease(broken)
                self.replays += 1
            else:
                self.status, self.headers = reply.status, reply.headers
                self._passing = self._passing_of_connection()
                return

    async def _close(self) -> None:
        """Cut the connection, which frees the slot, and give the lease back."""
        try:
            await self._hang_up()
        finally:
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
        goes_on = True
        while goes_on:
            broken: UpstreamFailed | None = None
            try:
                async for block in self._blocks_of_connection():
                    yield block
            except UpstreamFailed as error:
                broken = error
            goes_on = await self._goes_on(broken)
        if self._lacks_done:
            yield Block(DONE_EVENT)

    async def pour(self, sink: Sink) -> None:
        """The same as iterating, but pushed: whatever arrives is in `sink` before the engine's next bytes are read.

        Raises what `blocks` raises, and what `sink` raises.
        """
        if self._whole is not None:
            sink.write(self._whole)
            return
        goes_on = True
        while goes_on:
            broken: UpstreamFailed | None = None
            try:
                await self._pour_connection(sink)
            except UpstreamFailed as error:
                broken = error
            goes_on = await self._goes_on(broken)
        if self._lacks_done:
            sink.write(DONE_EVENT)

    async def _send(self, body: dict[str, object]) -> Reply:
        """Open a connection for this body in the place of the former one."""
        await self._hang_up()
        question = self._question
        content, content_type = question.content(body)
        note_sent(question.endpoint, question.method, content, content_type)
        request = self._held().server.request(question.method, question.endpoint, content, content_type)
        # Entered by hand, since it may be left for another one within the answer: a stack of contexts, which is made
        # for that, takes as long as sending the request does.
        self._reply = await request.__aenter__()
        self._connection = request
        return self._reply

    async def _hang_up(self) -> None:
        """Cut the present connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.__aexit__(None, None, None)

    async def _blocks_of_connection(self) -> AsyncIterator[Block]:
        """Give out the events of the present connection."""
        reply, passing = self._opened()
        async for data in reply:
            if (block := passing.take(data)).raw:
                yield block
            if passing.problem is not None:
                raise passing.problem
        if (block := passing.finish()).raw:
            yield block
        if passing.problem is not None:
            raise passing.problem

    async def _pour_connection(self, sink: Sink) -> None:
        """Push the events of the present connection."""
        reply, passing = self._opened()
        await reply.pour(PassingSink(passing, sink))
        if raw := passing.finish().raw:
            sink.write(raw)
        if passing.problem is not None:
            raise passing.problem

    async def _goes_on(self, broken: UpstreamFailed | None) -> bool:
        """A connection has ended: is there more to come? If so, another one says it."""
        if self._received.complete or (broken is None and not self._question.is_read):
            return False
        sent = await self._resume(broken or UpstreamFailed(reason="the stream ended in the middle"))
        self._passing = self._passing_of_connection(sent)
        return True

    @property
    def _lacks_done(self) -> bool:
        """Has a stream ended well without its last event, as servers forget it?"""
        received = self._received
        return self._question.ends_with_done and not received.done and not received.failed

    async def _resume(self, broken: UpstreamFailed) -> AlreadySent:
        """Make another server go on, or raise why this cannot be."""
        if self._received.opaque:
            raise broken
        note_recovery()
        self.on_recovery()
        if broken.code != DISAGREES:
            await self._next_lease(broken)
        elif self._continuing:
            # This server is well, and so is the lease; only continuing does not work.
            self._may_continue = False
            logger.warning("answer of %s is replayed: %s", self._spec.model.alias, broken)
        else:
            raise broken
        while True:
            try:
                return await self._restart()
            except UpstreamFailed as error:
                await self._next_lease(error)

    async def _restart(self) -> AlreadySent:
        """Send the request that continues, or the first one again where that cannot be or is refused."""
        body = self._question.body
        continuation = continuation_of(self._question.endpoint, body)
        self._continuing = self._may_continue and continuation is not None and continuation.possible(self._received)
        if self._continuing and continuation is not None:
            tokens = await self._count_tokens(continuation.generated(self._received))
            if not token_limit_reached(body, tokens):
                reply = await self._send(continuation.body(self._received, tokens))
                if reply.status == 200:
                    self.continuations += 1
                    return AlreadySent(self._received, tokens_continued=tokens, repeats=continuation.repeats)
            self._continuing = self._may_continue = False
        reply = await self._send(body)
        if reply.status != 200:
            raise UpstreamFailed(reason=f"the engine answered {reply.status} to a repeated request")
        self.replays += 1
        return AlreadySent(self._received)

    async def _count_tokens(self, text: str) -> int:
        """How many tokens the client has. Each piece was one at least, whatever the engine counts in their sum."""
        request = self._held().server.request("POST", "/tokenize", msgspec.json.encode({"content": text}))
        async with request as reply:
            content = await reply.read()
        try:
            counted = len(msgspec.json.decode(content, type=_Tokens).tokens)
        except msgspec.DecodeError:
            counted = 0
        return max(counted, self._received.pieces)

    async def _next_lease(self, broken: UpstreamFailed) -> None:
        """Take a lease on the server that replaces this one, unless this has been tried too often in vain."""
        progress = self._received.pieces
        self._attempts = 1 if progress > self._progress_at_failure else self._attempts + 1
        self._progress_at_failure = progress
        if self._attempts > MAX_ATTEMPTS_WITHOUT_PROGRESS:
            raise broken
        await self._hang_up()
        former = self._held()
        died = await former.server_ended(DEATH_NOTICE_S)
        logger.warning("answer of %s: %s (%s)", self._spec.model.alias, broken, "engine died" if died else "connection")
        self._lease = await self._actor.acquire(self._spec, resumes=former.id)
        former.release()

    def _passing_of_connection(self, sent: AlreadySent | None = None) -> Passing:
        question = self._question
        rename = renaming(self._spec.model.alias) if self._is_renamed else None
        return Passing(self._received, is_read=question.is_read, names=question.event_names, rename=rename, sent=sent)

    def _renamed(self, body: bytes) -> bytes:
        return renaming(self._spec.model.alias)(body) if self._is_renamed else body

    @property
    def _is_renamed(self) -> bool:
        """Was the server started under another name? One with a comma is several to an engine; it tells the first."""
        return self._held().alias != self._spec.model.alias or "," in self._spec.model.alias

    def _opened(self) -> tuple[Reply, Passing]:
        if self._reply is None or self._passing is None:
            raise UpstreamFailed(reason="the answer has not been opened")
        return self._reply, self._passing

    def _held(self) -> Lease:
        if self._lease is None:
            raise UpstreamFailed(reason="the answer has not been opened")
        return self._lease


class _Tokens(msgspec.Struct):
    tokens: list[object]
