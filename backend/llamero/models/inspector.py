"""Requests as the inspector shows them. Times in milliseconds count from a request's arrival, `at` from the epoch."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

RequestId = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Words = Annotated[str, msgspec.Meta(max_length=500)]


class Outcome(StrEnum):
    """How a request ended. GONE: the client left before its answer was whole."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    GONE = "gone"


class PhaseKind(StrEnum):
    """What a request spends its time on, in the order in which that usually happens.

    RECEIVE: its body arrives and its model is looked up. QUEUE: other requests go first. LOAD: the model is loaded.
    PROMPT: the model reads, up to its first token. RECOVERY: another server takes over from one that died.
    """

    RECEIVE = "receive"
    QUEUE = "queue"
    LOAD = "load"
    PROMPT = "prompt"
    GENERATION = "generation"
    RECOVERY = "recovery"


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """One bar of the waterfall."""

    kind: PhaseKind
    start_ms: float
    end_ms: float


class RequestSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list.

    `dialect` is that of the route, or `chat` for the window's own. `key_name` names the API key, never shows it.
    `preview` is how the last message begins. `status` is None while nothing was answered. None of the token counts:
    nobody told them.
    """

    id: str
    at: float
    dialect: str
    route: str
    client: str
    outcome: Outcome
    phases: tuple[Phase, ...]
    model: str = ""
    address: str = ""
    key_name: str | None = None
    destination: str | None = None
    preview: str = ""
    status: int | None = None
    duration_ms: float | None = None
    prompt_tokens: int | None = None
    generated_tokens: int | None = None
    tokens_per_second: float | None = None
    recoveries: int = 0
    error: str | None = None
    replay_of: str | None = None
    has_content: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One model that was asked. Where several were, an alias fell back; `error` says why the next one was tried."""

    alias: str
    is_remote: bool
    target: str
    at_ms: float
    error: str | None = None


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """A body as text. `size` in bytes is that of the whole; None of `text`: nothing of it was kept."""

    text: str | None
    size: int
    is_cut: bool = False
    content_type: str = ""


class SentRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What an engine or a remote server was sent, after everything was merged. More than one after a recovery."""

    endpoint: str
    method: str
    at_ms: float
    body: Text


class RawEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What arrived at once from the model: usually one event."""

    at_ms: float
    text: str


class RequestDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one request. `events` are the model's, before they were put into the client's dialect."""

    summary: RequestSummary
    method: str
    path: str
    steps: tuple[Step, ...]
    body: Text
    sent: tuple[SentRequest, ...]
    events: tuple[RawEvent, ...]
    events_are_cut: bool
    answer: str
    reasoning: str
    can_replay: bool
    can_render: bool


class RequestList(msgspec.Struct, frozen=True, kw_only=True):
    """The newest first. `content`: bodies and events are kept; `content_allowed`: the settings let that be.

    `enabled` is false where the settings keep no requests at all.
    """

    requests: tuple[RequestSummary, ...]
    enabled: bool
    content: bool
    content_allowed: bool
    gateway_url: str | None


class RenderedPrompt(msgspec.Struct, frozen=True, kw_only=True):
    """The text that the model's template makes of the messages."""

    prompt: str


class RequestsChanged(msgspec.Struct, frozen=True, kw_only=True):
    """What is new since the last time. `is_reset`: forget what was known before, for it was cleared or changed."""

    requests: tuple[RequestSummary, ...]
    is_reset: bool = False


class ListRequests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Filter the list. `text` is looked for in everything that was kept, without regard to case.

    `after`: only requests that came after this one. `status` is a status, or its first digit as in `4`.
    """

    after: RequestId | None = None
    text: Words = ""
    model: Words = ""
    status: Annotated[int, msgspec.Meta(ge=1, le=599)] | None = None
    errors_only: bool = False


class RequestRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One request."""

    id: RequestId


class SetInspector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep what requests and answers say from now on, or forget it."""

    content: bool


class WatchRequests(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks (or no longer does): the event `requests` comes meanwhile."""

    watching: bool


class InspectorState(msgspec.Struct, frozen=True, kw_only=True):
    """What is remembered of a person's choice."""

    content: bool = True
