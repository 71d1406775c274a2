"""Commands about files that go with questions.

A file comes as a blob, is kept by `add_attachment`, and goes with a question by its id.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from llamero.models.bridge.fields import Identifier
from llamero.models.conversations import Attachment


class AttachmentLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a question may bring: files, and bytes of each kind of file and of all together."""

    files: int
    text_bytes: int
    image_bytes: int
    total_bytes: int


class AddAttachment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Keep a blob as a file that a question may bring. `name` is what the file is called where it comes from."""

    handle: Identifier
    name: Annotated[str, msgspec.Meta(max_length=4096)]


class AttachmentRef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attachment."""

    attachment_id: Identifier


class AttachmentContent(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment with what is in it: a text, or an image as a `data:` address."""

    attachment: Attachment
    text: str | None = None
    image: str | None = None
