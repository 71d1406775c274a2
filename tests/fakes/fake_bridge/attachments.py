"""Attached files of the fake, under the real rules."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from llamero.models.bridge.attachments import AddAttachment, AttachmentContent, AttachmentRef
from llamero.models.conversations import Attachment, AttachmentKind
from llamero.models.errors import NotFound
from llamero.services.chats.attachments import clean_name, data_address, judge

if TYPE_CHECKING:
    from tests.fakes.fake_bridge.scenarios import World
    from tests.fakes.fake_bridge.server import FakeBridge

ARGUMENTS: dict[str, type] = {
    "add_attachment": AddAttachment,
    "discard_attachment": AttachmentRef,
    "get_attachment": AttachmentRef,
}


class AttachmentCommands:
    """What the page can do with files."""

    fake: FakeBridge
    world: World

    def add_attachment(self, args: AddAttachment) -> Attachment:
        judged = judge(name := clean_name(args.name), self.fake.blobs[args.handle])
        added = Attachment(
            id=f"f{len(self.world.attached)}",
            name=name,
            kind=judged.kind,
            media_type=judged.media_type,
            size=len(judged.body),
        )
        self.world.attached[added.id] = added, judged.body
        return added

    def discard_attachment(self, args: AttachmentRef) -> None:
        self.world.attached.pop(args.attachment_id, None)

    def get_attachment(self, args: AttachmentRef) -> AttachmentContent:
        (attachment,) = self._attached([args.attachment_id])
        body = self.world.attached[attachment.id][1]
        if attachment.kind is AttachmentKind.IMAGE:
            return AttachmentContent(attachment=attachment, image=data_address(attachment, body))
        return AttachmentContent(attachment=attachment, text=body.decode())

    def _attached(self, ids: Iterable[str]) -> tuple[Attachment, ...]:
        if any(id not in self.world.attached for id in ids):
            raise NotFound("chat_error-attachment_not_found")
        return tuple([self.world.attached[id][0] for id in ids])
