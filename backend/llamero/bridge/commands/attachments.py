"""Commands about files that go with questions. What each does and raises is said at `Attachments`."""

from __future__ import annotations

from llamero.bridge.context import Context
from llamero.bridge.registry import command
from llamero.models.bridge.attachments import AddAttachment, AttachmentContent, AttachmentRef
from llamero.models.conversations import Attachment
from llamero.services.chats.attachments import LIMITS


@command("add_attachment")
async def add_attachment(context: Context, arguments: AddAttachment) -> Attachment:
    """Keep an uploaded file for a question; the upload ends with that."""
    body = await context.services.blobs.take(arguments.handle, LIMITS.total_bytes)
    return await context.services.attachments.add(arguments.name, body)


@command("discard_attachment")
async def discard_attachment(context: Context, arguments: AttachmentRef) -> None:
    """Forget a file that was not sent."""
    await context.services.attachments.discard(arguments.attachment_id)


@command("get_attachment")
async def get_attachment(context: Context, arguments: AttachmentRef) -> AttachmentContent:
    """A file and what is in it."""
    return await context.services.attachments.content(arguments.attachment_id)
