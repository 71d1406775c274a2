"""Commands about conversations. What each does and raises is said at `ChatService`."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.bridge.chats import (
    Asked,
    ChangeConversation,
    ConversationRef,
    DeletedMessages,
    EditAnswer,
    EditedAnswer,
    EditMessage,
    MessageRef,
    RenameConversation,
    RetryMessage,
    SearchMessages,
    SelectBranch,
    SendChatMessage,
    Trash,
    WatchMessage,
)
from llamero.models.bridge.fields import Empty
from llamero.models.conversations import Conversation, ConversationWithMessages, Message, SearchHit


@command("get_conversation")
async def get_conversation(context: Context, arguments: ConversationRef) -> ConversationWithMessages:
    """A conversation with every message of its tree."""
    return await context.services.chats.get(arguments)


@command("send_chat_message")
async def send_chat_message(context: Context, arguments: SendChatMessage) -> Asked:
    """Ask; the answer comes on the channel."""
    return await context.services.chats.send(context.caller.own_window(), arguments)


@command("edit_message")
async def edit_message(context: Context, arguments: EditMessage) -> Asked:
    """Ask something else in the place of a message; the answer comes on the channel."""
    return await context.services.chats.edit(context.caller.own_window(), arguments)


@command("retry_message")
async def retry_message(context: Context, arguments: RetryMessage) -> Asked:
    """Ask the same again; the answer comes on the channel."""
    return await context.services.chats.retry(context.caller.own_window(), arguments)


@command("watch_message")
async def watch_message(context: Context, arguments: WatchMessage) -> Message:
    """Follow an answer: its text so far, and on the channel what comes after it."""
    return await context.services.chats.watch(context.caller.own_window(), arguments)


@command("stop_message")
async def stop_message(context: Context, arguments: MessageRef) -> Message:
    """Stop an answer; what came stays."""
    return await context.services.chats.stop(arguments.message_id)


@command("select_branch")
async def select_branch(context: Context, arguments: SelectBranch) -> Conversation:
    """Show the branch that a message is on."""
    return await context.services.chats.select_branch(arguments)


@command("edit_answer")
async def edit_answer(context: Context, arguments: EditAnswer) -> EditedAnswer:
    """Put other words beside an answer, as a version of it."""
    return await context.services.chats.edit_answer(arguments)


@command("fork_conversation")
async def fork_conversation(context: Context, arguments: MessageRef) -> Conversation:
    """Begin a conversation with the messages down to this one."""
    return await context.services.chats.fork(arguments)


@command("rename_conversation")
async def rename_conversation(context: Context, arguments: RenameConversation) -> Conversation:
    """Give a title."""
    return await context.services.chats.rename(arguments)


@command("change_conversation")
async def change_conversation(context: Context, arguments: ChangeConversation) -> Conversation:
    """Change how a conversation is answered."""
    return await context.services.chats.change(arguments)


@command("delete_conversation")
async def delete_conversation(context: Context, arguments: ConversationRef) -> None:
    """Move a conversation to the trash."""
    await context.services.chats.delete(arguments)


@command("list_deleted_conversations")
async def list_deleted_conversations(context: Context, arguments: Empty) -> Trash:
    """The trash, and how long it keeps what is in it."""
    return await context.services.chats.trash()


@command("restore_conversation")
async def restore_conversation(context: Context, arguments: ConversationRef) -> Conversation:
    """Take a conversation out of the trash."""
    return await context.services.chats.restore(arguments)


@command("delete_message")
async def delete_message(context: Context, arguments: MessageRef) -> DeletedMessages:
    """Put a message and all below it out of sight."""
    return await context.services.chats.delete_message(arguments)


@command("restore_message")
async def restore_message(context: Context, arguments: MessageRef) -> Conversation:
    """Bring back a message with all that went with it."""
    return await context.services.chats.restore_message(arguments)


@command("search_messages")
async def search_messages(context: Context, arguments: SearchMessages) -> tuple[SearchHit, ...]:
    """Find words in titles and messages."""
    return await context.services.chats.search(arguments)
