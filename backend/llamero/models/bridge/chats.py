"""Commands of conversations and answers, and what is pushed of an answer.

`on` is a channel that the page has opened, as `__CHANNEL__:<number>`; its frames carry `ChatFrame`s.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec

from llamero.models.bridge.fields import ChannelId, Identifier, Text, Title
from llamero.models.conversations import Conversation, Message, Sampling

# Far more than a message may have; how many that are is said in a sentence for people, and not by the type.
MOST_ATTACHMENTS = 1000


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
    """Ask. Without a conversation a new one begins; without a parent the message goes under the head.

    `attachments` are ids, in their order; with some, the text may be empty.
    """

    text: Text
    model: Identifier
    on: ChannelId
    conversation_id: Identifier | None = None
    parent_id: Identifier | None = None
    system_prompt: Text | None = None
    sampling: Sampling | None = None
    attachments: Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=MOST_ATTACHMENTS)] = ()


class EditMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say something else in the place of a message of the user's; a sibling with an answer of its own."""

    message_id: Identifier
    text: Text
    model: Identifier
    on: ChannelId


class RetryMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer once more, beside the given answer; or answer the given question."""

    message_id: Identifier
    model: Identifier
    on: ChannelId


class EditAnswer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Put other words beside an answer; nobody is asked."""

    message_id: Identifier
    text: Text


class EditedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The answer as a person made it, and its conversation, which shows it."""

    conversation: Conversation
    message: Message


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


class MessagePlace(msgspec.Struct, frozen=True, kw_only=True):
    """One message and the conversation that it is in."""

    conversation_id: Identifier
    message_id: Identifier


class DeletedMessages(msgspec.Struct, frozen=True, kw_only=True):
    """What went with a message: itself and all below it. The conversation is as it is now.

    Where nothing would have been left, the conversation itself was put into the trash, and no message out of it.
    """

    conversation: Conversation
    message_ids: tuple[str, ...]


class Trash(msgspec.Struct, frozen=True, kw_only=True):
    """Deleted conversations, the last one first, and for how many seconds each is kept."""

    conversations: tuple[Conversation, ...]
    kept_s: float


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


class NewChat(msgspec.Struct, frozen=True, kw_only=True):
    """The desktop asks the window for a new chat: with a model that was opened, or with the one that it has."""

    model: str | None = None
