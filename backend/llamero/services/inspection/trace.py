"""What is recorded of one request while it passes.

A trace is found by the task that works for the request (`current_trace`), so that whatever it passes may add what it
knows (`notes.py`) without being handed anything. Nothing is decoded here, and an event costs what `KeptEvents` does
with it.

Invariants: no header but the names of the client and of its content type gets here; of bodies and events no more is
kept than `CONTENT_BYTES` each, and no more than the budget has for all.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from llamero.models.aliases import LocalDestination, RemoteDestination
from llamero.models.chat import Timings, TokenCounts
from llamero.models.errors import LlameroError
from llamero.models.inference import InferenceRequest
from llamero.models.inspector import Outcome, PhaseKind
from llamero.services.inspection.budget import Budget
from llamero.services.inspection.events import KeptEvents

CONTENT_BYTES = 256 * 1024
# A request is sent again when its server dies, and goes from phase to phase; somebody may kill servers for ever.
MAX_SENT = 16
MAX_MARKS = 128
MAX_STEPS = 64
_PREVIEW = 160

_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request came from, and by which route."""

    dialect: str
    route: str
    client: str
    method: str = "POST"
    path: str = ""
    address: str = ""
    replay_of: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A body, or its beginning. `size` is that of the whole; None of `data`: it was not kept."""

    data: bytes | None = None
    size: int = 0
    content_type: str = ""

    @property
    def is_whole(self) -> bool:
        """Was all of it kept?"""
        return self.data is not None and len(self.data) == self.size


@dataclass(frozen=True, slots=True)
class Sent:
    """What a model was sent, when, and where."""

    at: float
    endpoint: str
    method: str
    body: Kept


@dataclass(slots=True)
class Attempt:
    """One model that was asked."""

    at: float
    destination: LocalDestination | RemoteDestination
    error: str | None = None


@dataclass(slots=True)
class Content:
    """What was kept of what was said."""

    body: Kept = field(default_factory=Kept)
    sent: list[Sent] = field(default_factory=list)
    preview: str = ""


class Trace:
    """One request. `changed` is called when there is something new to show, never for an event."""

    def __init__(
        self,
        id: str,
        origin: Origin,
        *,
        at: float,
        now: Callable[[], float],
        budget: Budget,
        keeps_content: bool,
        changed: Callable[[Trace], None] = lambda _: None,
    ) -> None:
        self.id = id
        self.origin = origin
        self.at = at
        self.began = now()
        self.ended: float | None = None
        self.model = ""
        self.key_name: str | None = None
        self.is_streamed = False
        self.status: int | None = None
        self.failure: LlameroError | None = None
        self.outcome = Outcome.RUNNING
        self.attempts: list[Attempt] = []
        self.marks: list[tuple[PhaseKind, float]] = [(PhaseKind.RECEIVE, self.began)]
        self.recoveries = 0
        self.tokens: TokenCounts | None = None
        self.timings: Timings | None = None
        self.content = Content()
        self.now = now
        self._budget = budget
        self._changed = changed
        self._keeps = keeps_content
        self._taken = 0
        self.events = KeptEvents(now, self._take, CONTENT_BYTES if keeps_content else 0)
        self._holders = 0

    @property
    def keeps_content(self) -> bool:
        """Is anything kept of what is said?"""
        return self._keeps

    @property
    def size(self) -> int:
        """How many bytes of the budget this holds."""
        return self._taken

    # From the outside in: the client, the route, the models

    @contextmanager
    def followed(self) -> Iterator[None]:
        """Let whatever the current task does add to this trace; it ends when nobody works for the request any more."""
        token = _current.set(self)
        try:
            with self.held():
                yield
        finally:
            _current.reset(token)

    @contextmanager
    def held(self) -> Iterator[None]:
        """The request goes on for as long as this lasts, also after its client was answered."""
        self._holders += 1
        self.ended, self.outcome = None, Outcome.RUNNING
        try:
            yield
        except (asyncio.CancelledError, ConnectionError, GeneratorExit):
            if self._holders == 1:  # whoever stands further out may still answer
                self.outcome = Outcome.GONE
            raise
        except LlameroError as error:
            self.fail(error)
            if self._holders == 1:
                self.status = error.status
            raise
        finally:
            self._holders -= 1
            if not self._holders:
                self._end()

    def receive(self, body: bytes, content_type: str) -> None:
        """The client's own body."""
        self.content.body = self._kept(body, content_type)

    def ask(self, request: InferenceRequest) -> None:
        """What the dialect made of the request."""
        self.model = request.model
        self.is_streamed = request.body.get("stream") is True
        if self._keeps and not self.content.preview:
            self.content.preview = _preview(request.body)
        self._changed(self)

    def go_to(self, destination: LocalDestination | RemoteDestination) -> None:
        """A model is asked."""
        if len(self.attempts) < MAX_STEPS:
            self.attempts.append(Attempt(self.now(), destination))

    def fall_back(self, why: str) -> None:
        """The model that was asked last does not answer, and the next one will be."""
        if self.attempts and self.attempts[-1].error is None:
            self.attempts[-1].error = why

    def respond(self, status: int) -> None:
        """The client was given an answer of this status."""
        self.status = status

    def fail(self, error: LlameroError) -> None:
        """The client was, or is about to be, told this error."""
        # Without its traceback, whose frames would keep alive all that the request ever held.
        self.failure = copy.copy(error)
        self.status = self.status or error.status

    # The course of things

    def enter(self, kind: PhaseKind, at: float | None = None) -> None:
        """Another phase begins. While a server is replaced, nothing but the next token ends that."""
        if self.marks[-1][0] is PhaseKind.RECOVERY and kind is not PhaseKind.GENERATION:
            self.events.watch(self._look_for_token)
            return
        if len(self.marks) < MAX_MARKS and self.marks[-1][0] is not kind:
            self.marks.append((kind, self.now() if at is None else at))
        self.events.watch(self._look_for_token if kind in (PhaseKind.PROMPT, PhaseKind.RECOVERY) else None)

    def be_granted(self, load: tuple[float, float] | None) -> None:
        """A server is ready, which took from `load[0]` to `load[1]` to be loaded."""
        asked = self.marks[-1][1]
        if load is not None and load[1] > asked:
            self.enter(PhaseKind.LOAD, max(asked, load[0]))
            self.enter(PhaseKind.QUEUE, load[1])

    def send(self, endpoint: str, method: str, body: bytes | None, content_type: str) -> None:
        """A model is sent this."""
        self.enter(PhaseKind.PROMPT)
        if len(self.content.sent) < MAX_SENT:
            self.content.sent.append(Sent(self.now(), endpoint, method, self._kept(body or b"", content_type)))
        self._changed(self)

    def recover(self) -> None:
        """The server died in mid-answer."""
        self.recoveries += 1
        self.enter(PhaseKind.RECOVERY)
        self._changed(self)

    def add(self, events: bytes) -> None:
        """The model said this, unless it was put into `events` in place."""
        self.events.add(events)

    def _look_for_token(self, events: bytes) -> None:
        """A phase ends with the first token."""
        if self.is_streamed and _says_something(events):
            self.enter(PhaseKind.GENERATION)
            self._changed(self)

    def forget_content(self) -> None:
        """Keep nothing of what was said, now and later."""
        self._keeps = False
        self.events.forget(has_ended=self.ended is not None)
        self._budget.give_back(self._taken)
        self._taken = 0
        body, sent = self.content.body, self.content.sent
        self.content = Content(
            body=Kept(None, body.size, body.content_type),
            sent=[
                Sent(one.at, one.endpoint, one.method, Kept(None, one.body.size, one.body.content_type)) for one in sent
            ],
        )

    def _end(self) -> None:
        self.ended = self.now()
        if self.outcome is Outcome.RUNNING:
            refused = self.failure is not None or (self.status is not None and self.status >= 400)
            self.outcome = Outcome.FAILED if refused else Outcome.FINISHED
        room = self.events.give_back_room()
        self._budget.give_back(room)
        self._taken -= room
        self._changed(self)

    def _kept(self, data: bytes, content_type: str) -> Kept:
        beginning = data[:CONTENT_BYTES]
        if not self._keeps or not self._take(len(beginning)):
            return Kept(None, len(data), content_type)
        return Kept(beginning, len(data), content_type)

    def _take(self, size: int) -> bool:
        if not self._budget.take(size):
            return False
        if not self._keeps:  # room was made of this very one
            self._budget.give_back(size)
            return False
        self._taken += size
        return True


def current_trace() -> Trace | None:
    """The trace of the request that the current task works for; None where nobody wants to know."""
    return _current.get()


def _says_something(events: bytes) -> bool:
    """Is it more than a comment, or how far a prompt is read?"""
    return b"data:" in events and b'"prompt_progress"' not in events


def _preview(body: dict[str, object]) -> str:
    """How the last thing begins that a model is told."""
    match body:
        case {"messages": [*_, {"content": str(text)}]} | {"prompt": str(text)} | {"input": str(text)}:
            return text[:_PREVIEW]
        case {"messages": [*_, {"content": [*parts]}]}:
            texts = [part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str)]
            return " ".join(texts)[:_PREVIEW]
    return ""
