"""Conversations as they are kept: a tree of messages, in which nothing is overwritten.

Every message names its parent; editing and retrying make siblings. A conversation's `head` is the leaf of the branch
that is shown. Ids are UUIDs of version 7 style text: unique, and in order of time. Times are seconds since the epoch.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

# Engines convert these to C numbers without asking, so every number has both bounds.
_CInt = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class Role(StrEnum):
    """Who speaks."""

    USER = "user"
    ASSISTANT = "assistant"


class MessageStatus(StrEnum):
    """How a message stands. `streaming` on disk after a start means that the app died: it becomes `interrupted`."""

    STREAMING = "streaming"
    COMPLETE = "complete"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"


class Sampling(msgspec.Struct, frozen=True, kw_only=True):
    """Parameters of the chat completions API that a person sets; None leaves the choice to the engine."""

    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: _Share | None = None
    top_k: _CInt | None = None
    min_p: _Share | None = None
    repeat_penalty: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    presence_penalty: _Penalty | None = None
    frequency_penalty: _Penalty | None = None
    max_tokens: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)] | None = None


class AnswerStats(msgspec.Struct, frozen=True, kw_only=True):
    """What the line under an answer says. Times in ms; counts in tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_ms: float | None = None
    generation_ms: float | None = None
    first_token_ms: float | None = None
    recoveries: int = 0
    finish_reason: str | None = None


class MessageError(msgspec.Struct, frozen=True, kw_only=True):
    """Why an answer failed: a stable code and a sentence for people."""

    code: str
    message: str


class AttachmentKind(StrEnum):
    """What a file is to a model."""

    TEXT = "text"
    IMAGE = "image"


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file that goes with a question, without its body. `name` has no path; `size` in bytes."""

    id: str
    name: str
    kind: AttachmentKind
    media_type: str
    size: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the tree. `model` is the alias that answered; only questions have attachments.

    An answer that is `edited` says what a person made of it.
    """

    id: str
    conversation_id: str
    parent_id: str | None
    role: Role
    content: str
    reasoning: str = ""
    status: MessageStatus = MessageStatus.COMPLETE
    model: str | None = None
    created_at: float
    error: MessageError | None = None
    stats: AnswerStats | None = None
    attachments: tuple[Attachment, ...] = ()
    edited: bool = False


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation without its messages. `title_is_automatic` until a person renames it.

    `forked_from` is the conversation whose messages this one began with, which may be gone by now.
    """

    id: str
    title: str
    title_is_automatic: bool = True
    created_at: float
    updated_at: float
    head: str | None = None
    model: str | None = None
    system_prompt: str = ""
    sampling: Sampling = Sampling()
    deleted_at: float | None = None
    forked_from: str | None = None


class ConversationWithMessages(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation and every message of its tree, in order of time."""

    conversation: Conversation
    messages: tuple[Message, ...]


class SearchHit(msgspec.Struct, frozen=True, kw_only=True):
    """A message that matches a search; `snippet` marks the words with U+E000 and U+E001."""

    conversation_id: str
    message_id: str
    title: str
    snippet: str
