"""Files that go with questions: which are taken, and under which name.

Invariants: what a file is, its content decides and never its name; a name has no path, no character that cannot be seen
and none that turns the direction of writing, so it can stand in a list and in a prompt; a file that is refused leaves
nothing behind.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import msgspec

from llamero.infrastructure.storage.attachments import AttachmentStore
from llamero.models.bridge.attachments import AttachmentContent, AttachmentLimits
from llamero.models.conversations import Attachment, AttachmentKind
from llamero.models.errors import InvalidRequest, PayloadTooLarge
from llamero.services.chats.pictures import Picture, read_picture
from llamero.services.chats.titles import clean_title

LIMITS = AttachmentLimits(
    # More than a project's sources for one question, and still few enough to be seen at once.
    files=20,
    # Some half a million tokens: more than nearly every context holds, and not yet a burden for the page.
    text_bytes=2 * 1024 * 1024,
    # What the camera of a phone makes of a scene with much detail.
    image_bytes=10 * 1024 * 1024,
    # All of it is in the request for every later answer of the conversation, too, and in memory for that long.
    total_bytes=16 * 1024 * 1024,
)
# Of all questions of a conversation together: so much is encoded anew for every answer, in some 40 ms.
MOST_TOLD_BYTES = 32 * 1024 * 1024
MOST_PIXELS = 64_000_000  # an engine takes three bytes for each of them while it decodes
LONGEST_NAME = 120

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Text has lines, tabs, page breaks and the colors of terminals; other control characters are found in binary data.
_BINARY = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")


class Judged(msgspec.Struct, frozen=True):
    """What a file is, and the body that is kept of it."""

    kind: AttachmentKind
    media_type: str
    body: bytes


class Attachments:
    """Takes files and gives them back. Every method may raise IoFailed."""

    def __init__(self, store: AttachmentStore) -> None:
        self._store = store

    async def add(self, name: str, body: bytes) -> Attachment:
        """Keep a file for a question. Raises InvalidRequest when it is none that a model can read, PayloadTooLarge."""
        shown = clean_name(name)
        judged = await asyncio.to_thread(judge, shown, body)
        return await self._store.add(shown, judged.kind, judged.media_type, judged.body)

    async def discard(self, attachment_id: str) -> None:
        """Forget a file that was not sent; one that was stays."""
        await self._store.discard(attachment_id)

    async def content(self, attachment_id: str) -> AttachmentContent:
        """A file and what is in it. Raises NotFound."""
        attachment, body = await self._store.read(attachment_id)
        if attachment.kind is AttachmentKind.IMAGE:
            image = await asyncio.to_thread(data_address, attachment, body)
            return AttachmentContent(attachment=attachment, image=image)
        return AttachmentContent(attachment=attachment, text=body.decode())


def clean_name(name: str) -> str:
    """What a file is called for people and models: no path, no hidden characters, its ending kept. Pure."""
    last = clean_title(re.split(r"[/\\]", name)[-1])
    if not last.strip("."):
        return "file"
    if len(last) <= LONGEST_NAME:
        return last
    ending = PurePosixPath(last).suffix[:16]
    return f"{last[: LONGEST_NAME - len(ending) - 1]}…{ending}"


def judge(name: str, body: bytes) -> Judged:
    """Decide what a file is. Raises InvalidRequest where it is nothing that can be sent, PayloadTooLarge. Pure."""
    if not body:
        raise InvalidRequest("chat_error-attachment_empty", name=name)
    picture = read_picture(body)
    return _judge_text(name, body) if picture is None else _judge_picture(name, body, picture)


def _judge_picture(name: str, body: bytes, picture: Picture) -> Judged:
    if len(body) > LIMITS.image_bytes:
        raise PayloadTooLarge("chat_error-image_too_large", name=name, limit=_megabytes(LIMITS.image_bytes))
    if picture.size is None:
        raise InvalidRequest("chat_error-image_damaged", name=name)
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise InvalidRequest("chat_error-image_too_many_pixels", name=name, limit=MOST_PIXELS // 1_000_000)
    return Judged(AttachmentKind.IMAGE, picture.media_type, body)


def _judge_text(name: str, body: bytes) -> Judged:
    if len(body) > LIMITS.text_bytes:
        raise PayloadTooLarge("chat_error-attachment_too_large", name=name, limit=_megabytes(LIMITS.text_bytes))
    text = body.removeprefix(_BYTE_ORDER_MARK)
    if not text.strip():
        raise InvalidRequest("chat_error-attachment_empty", name=name)
    if _BINARY.search(text) or not _is_utf8(text):
        raise InvalidRequest("chat_error-attachment_not_text", name=name)
    return Judged(AttachmentKind.TEXT, "text/plain", text)


def check_count(count: int) -> None:
    """Raise PayloadTooLarge unless one question may bring as many files. Pure."""
    if count > LIMITS.files:
        raise PayloadTooLarge("chat_error-attachments_too_many", limit=LIMITS.files)


def check_size(attachments: Sequence[Attachment]) -> None:
    """Raise PayloadTooLarge unless one question may bring all of these together. Pure."""
    if sum(attachment.size for attachment in attachments) > LIMITS.total_bytes:
        raise PayloadTooLarge("chat_error-attachments_too_large", limit=_megabytes(LIMITS.total_bytes))


def check_told(attachments: Iterable[Attachment]) -> None:
    """Raise PayloadTooLarge unless a model may be told all of these with one question. Pure."""
    if sum(attachment.size for attachment in attachments) > MOST_TOLD_BYTES:
        raise PayloadTooLarge("chat_error-conversation_too_large", limit=_megabytes(MOST_TOLD_BYTES))


def data_address(attachment: Attachment, body: bytes) -> str:
    """The body as an address that brings it along (RFC 2397). Pure."""
    return f"data:{attachment.media_type};base64,{base64.b64encode(body).decode()}"


def _megabytes(count: int) -> int:
    return count // 1024 // 1024


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
