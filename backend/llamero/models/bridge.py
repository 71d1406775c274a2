"""What crosses the bridge: the arguments and results of every command, and everything that is pushed.

The JavaScript types are generated from these Structs. `on` is a channel that the page has opened, as
`__CHANNEL__:<number>`; its frames carry `ChatFrame`s. Times are seconds since the epoch, memory is in bytes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from llamero.models.access import KeyName, KeyTerms
from llamero.models.aliases import Alias, AliasKind, AliasName
from llamero.models.bench import BenchFrame, BenchRun
from llamero.models.conversations import Conversation, Message, Sampling
from llamero.models.llama import ServerPhase
from llamero.models.metrics import MetricsSnapshot
from llamero.models.metrics_history import HistoryRange
from llamero.models.remote import KeyState

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
ChannelId = Annotated[str, msgspec.Meta(pattern=r"^__CHANNEL__:[0-9]{1,15}\Z")]
Text = Annotated[str, msgspec.Meta(max_length=4 * 1024 * 1024)]
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Path = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Empty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class ModelInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A model that can be chosen. None of the parameters: the engine's choice. `missing`: its file is not there.

    Only `alias` and `kind` say something of what is elsewhere (`api`) or one of several (`fallback`).
    """

    alias: str
    path: str
    kind: AliasKind = AliasKind.MODEL
    is_demo: bool = False
    size_bytes: int | None = None
    architecture: str | None = None
    trained_context: int | None = None
    layers: int | None = None
    embedding: bool = False
    context_length: int | None = None
    gpu_layers: int | None = None
    threads: int | None = None
    keep_alive_s: float | None = None
    missing: bool = False


class ServerInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One server, for people. `reason` says in a sentence why it failed; `log_tail` holds its last lines then.

    `waiting` requests have not got a place on it yet.
    """

    alias: str
    phase: ServerPhase
    leases: int = 0
    waiting: int = 0
    restarts: int = 0
    since: float | None = None
    pid: int | None = None
    reason: str | None = None
    log_tail: tuple[str, ...] = ()


class UiState(msgspec.Struct, frozen=True, kw_only=True):
    """What the page remembers from one start to the next. `theme`: system, light or dark."""

    theme: Annotated[str, msgspec.Meta(pattern=r"^(system|light|dark)\Z")] = "system"
    list_folded: bool = False
    conversation_id: str | None = None
    model: str | None = None
    drafts: dict[str, str] = {}


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that a page needs to draw itself. `streaming` are the ids of messages that are being answered now."""

    version: str
    native_dialogs: bool
    gateway_url: str | None
    models: tuple[ModelInfo, ...]
    servers: tuple[ServerInfo, ...]
    conversations: tuple[Conversation, ...]
    streaming: tuple[str, ...]
    ui: UiState
    metrics: MetricsSnapshot | None = None
    notices: tuple[str, ...] = ()


class ProgressKind(StrEnum):
    """What happens before the first token, and when an answer is healed."""

    QUEUED = "queued"
    LOADING = "loading"
    READING = "reading"
    RECOVERING = "recovering"


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """What happens now. `done` and `total` in tokens, where known."""

    kind: ProgressKind
    model: str
    done: int | None = None
    total: int | None = None


class ChatFrame(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """More of an answer: text, reasoning, what happens meanwhile; at the end the message as it was saved."""

    text: str = ""
    reasoning: str = ""
    progress: Progress | None = None
    tokens_per_second: float | None = None
    message: Message | None = None


class SendChatMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ask. Without a conversation a new one begins; without a parent the message goes under the head."""

    text: Text
    model: Identifier
    on: ChannelId
    conversation_id: Identifier | None = None
    parent_id: Identifier | None = None
    system_prompt: Text | None = None
    sampling: Sampling | None = None


class EditMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say something else in the place of a message of the user's; a sibling with an answer of its own."""

    message_id: Identifier
    text: Text
    model: Identifier
    on: ChannelId


class RetryMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer once more; a sibling of the given answer."""

    message_id: Identifier
    model: Identifier
    on: ChannelId


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What was saved before the answer began. `user_message` is None for a retry."""

    conversation: Conversation
    assistant_message: Message
    user_message: Message | None = None


class WatchMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Follow an answer that is under way, after a reload or in a second window."""

    message_id: Identifier
    on: ChannelId


class MessageRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message."""

    message_id: Identifier


class ConversationRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One conversation."""

    conversation_id: Identifier


class SelectBranch(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Show the branch that this message is on, down to its newest leaf."""

    conversation_id: Identifier
    message_id: Identifier


class RenameConversation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give a title."""

    conversation_id: Identifier
    title: Title


class ChangeConversation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change how a conversation is answered from now on; None leaves a field as it is."""

    conversation_id: Identifier
    model: Identifier | None = None
    system_prompt: Text | None = None
    sampling: Sampling | None = None


class SearchMessages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Find words in titles and messages."""

    query: Annotated[str, msgspec.Meta(max_length=500)]
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class AddModelFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Know a model file by its path."""

    path: Path


class ModelRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model by its alias."""

    alias: Identifier


class StopModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop one model, or all."""

    alias: Identifier | None = None


class ChangeModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a model is run from the next request on; None: the engine's choice. All fields are set together."""

    alias: Identifier
    context_length: Annotated[int, msgspec.Meta(ge=16, le=16_777_216)] | None = None
    gpu_layers: Annotated[int, msgspec.Meta(ge=-1, le=10_000)] | None = None
    threads: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    keep_alive_s: Annotated[float, msgspec.Meta(ge=-1, le=31_536_000)] | None = None


class SaveAlias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep an alias, in the place of the one of that name or of `former`. `key` is a remote server's; None keeps it.

    `place` counts from 0 and is for one that is to stand elsewhere, as one that comes back.
    """

    alias: Alias
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)] | None = None
    former: AliasName | None = None
    place: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None


class DeleteAlias(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Know an alias no longer; the model's file stays."""

    name: AliasName


class SavedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """An alias as it was kept, and sentences that the person should read."""

    alias: Alias
    notices: tuple[str, ...] = ()


class DeletedAlias(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences that the person should read."""

    notices: tuple[str, ...] = ()


class PausedName(msgspec.Struct, frozen=True, kw_only=True):
    """A target of fallbacks that failed, and comes last until then, in seconds since the epoch."""

    name: str
    until: float
    reason: str


class AliasConditions(msgspec.Struct, frozen=True, kw_only=True):
    """How names do: the key of each remote server, by the server's name, and the targets that are left alone."""

    keys: dict[str, KeyState] = {}
    paused: tuple[PausedName, ...] = ()


class OpenLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open a link outside; only http, https and mailto are."""

    url: Annotated[str, msgspec.Meta(max_length=8192)]


class CreateApiKey(KeyTerms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Make a key for other programs."""


class RevokeApiKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let nobody in with this key any more."""

    name: KeyName


class SetUiState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remember how the page looks."""

    ui: UiState


class ServerLog(msgspec.Struct, frozen=True, kw_only=True):
    """The last lines of an engine, oldest first."""

    alias: str
    lines: tuple[str, ...]


class WatchMetrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody looks (or no longer does): samples come every second as the event `metrics` meanwhile.

    `closely`: what the servers' slots do is on the screen, which engines have to be asked for.
    """

    watching: bool
    closely: bool = False


class GetMetricsHistory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The hardware's past: all of a range, or what came `after` a time that the asker has; `cores`: with each core."""

    range: HistoryRange
    after: float | None = None
    cores: bool = False


class SaveFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let the user choose where to put a blob. `name` is what the file is called unless they say otherwise."""

    handle: Identifier
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\Z")]


class SavedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is now; None when the user chose no place."""

    path: str | None


class ExportMetrics(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a range, as comma-separated values."""

    range: HistoryRange


class NewChat(msgspec.Struct, frozen=True, kw_only=True):
    """The desktop asks the window for a new chat: with a model that was opened, or with the one that it has."""

    model: str | None = None


class StartBench(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Measure a model; how it goes is told to every window as the event `bench`."""

    model: Identifier
    quick: bool = False


class BenchRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One run of a bench, and with which other it is to be compared; None: with the one that suits best."""

    id: int
    against: int | None = None


class BenchRuns(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured now, and what was measured, the newest first."""

    now: BenchFrame | None
    runs: tuple[BenchRun, ...]


WindowId = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}\Z")]


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """A page that begins: it gets a snapshot. `window` is its own random id, which survives a reload."""

    window: WindowId


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """A page whose connection broke: it gets what follows frame `seq` of `epoch`, or a snapshot where that is gone."""

    window: WindowId
    epoch: str
    seq: Annotated[int, msgspec.Meta(ge=0)]


class Greeting(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame that a page sends: one of the two."""

    hello: Hello | None = None
    resume: Resume | None = None


class BlobHandle(msgspec.Struct, frozen=True, kw_only=True):
    """What was uploaded, until `expires_at`. Size in bytes."""

    handle: str
    size: int
    expires_at: float
