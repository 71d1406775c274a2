"""What a window says when it comes, what it is told first, what it keeps, and the files that it saves."""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.bridge.attachments import AttachmentLimits
from llamero.models.bridge.fields import Identifier, WindowId
from llamero.models.bridge.servers import ModelInfo, ServerInfo
from llamero.models.conversations import Attachment, Conversation
from llamero.models.metrics import MetricsSnapshot


class UiState(msgspec.Struct, frozen=True, kw_only=True):
    """What the page remembers from one start to the next. `theme`: system, light or dark.

    What was written and attached but not sent is kept for each conversation, and for the one that has not begun.
    """

    theme: Annotated[str, msgspec.Meta(pattern=r"^(system|light|dark)\Z")] = "system"
    list_folded: bool = False
    conversation_id: str | None = None
    model: str | None = None
    drafts: dict[str, str] = {}
    draft_attachments: dict[str, tuple[Attachment, ...]] = {}


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
    attachment_limits: AttachmentLimits
    metrics: MetricsSnapshot | None = None
    notices: tuple[str, ...] = ()


class OpenLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Open a link outside; only http, https and mailto are."""

    url: Annotated[str, msgspec.Meta(max_length=8192)]


class SetUiState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Remember how the page looks."""

    ui: UiState


class SaveFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Let the user choose where to put a blob. `name` is what the file is called unless they say otherwise."""

    handle: Identifier
    name: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\Z")]


class SavedFile(msgspec.Struct, frozen=True, kw_only=True):
    """Where it is now; None when the user chose no place."""

    path: str | None


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
