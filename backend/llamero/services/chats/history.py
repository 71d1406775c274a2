"""What a model is told of a conversation: the branch from its root to the question.

The system prompt comes first; reasoning is left out, as the models' makers ask for; answers that were cut short count
as far as they came, and those that brought nothing are left out. Neighbours of one role become one message, since the
templates of many models insist that the roles alternate. Files stand before the words that they came with, each under
its name, and pictures before both: what is asked is best read last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from llamero.models.conversations import Attachment, AttachmentKind, Message, Role
from llamero.services.chats.attachments import data_address
from llamero.services.chats.protocols import ChatMessages

_FENCES = re.compile("`{3,}")
_LANGUAGE = re.compile(r"\.([A-Za-z0-9+#_-]{1,12})")

_Turn = tuple[Role, list[str], list[str]]  # who speaks, texts, and pictures by their addresses


def history(system_prompt: str, branch: Iterable[Message], bodies: Mapping[str, bytes]) -> ChatMessages:
    """The messages of the chat completions API for a branch that ends with the question.

    `bodies` are those of the attachments by their ids.
    """
    turns: list[_Turn] = []
    for message in branch:
        texts, pictures = _texts(message, bodies), _pictures(message, bodies)
        if not texts and not pictures:
            continue
        if not turns or turns[-1][0] is not message.role:
            turns.append((message.role, [], []))
        turns[-1][1].extend(texts)
        turns[-1][2].extend(pictures)
    told: ChatMessages = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    return [*told, *(_told(*turn) for turn in turns)]


def has_pictures(messages: ChatMessages) -> bool:
    """Is there something to be seen in what a model is told?"""
    return any(isinstance(message["content"], list) for message in messages)


def _told(role: Role, texts: list[str], pictures: list[str]) -> dict[str, object]:
    """A message of the API; only one with pictures has parts, which not every server understands."""
    text = "\n\n".join(texts)
    if not pictures:
        return {"role": role.value, "content": text}
    parts: list[object] = [{"type": "image_url", "image_url": {"url": picture}} for picture in pictures]
    if text:
        parts.append({"type": "text", "text": text})
    return {"role": role.value, "content": parts}


def _texts(message: Message, bodies: Mapping[str, bytes]) -> list[str]:
    """The words of a message, after the files that came with them."""
    files = [_file(one, bodies[one.id].decode()) for one in message.attachments if one.kind is AttachmentKind.TEXT]
    return [*files, message.content] if message.content.strip() else files


def _pictures(message: Message, bodies: Mapping[str, bytes]) -> list[str]:
    return [data_address(one, bodies[one.id]) for one in message.attachments if one.kind is AttachmentKind.IMAGE]


def _file(attachment: Attachment, text: str) -> str:
    """A file as models know it from what they were trained on: its name, and its text in a fence that it cannot end."""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCES.findall(text))])
    ending = _LANGUAGE.fullmatch(PurePosixPath(attachment.name).suffix)
    language = ending[1].lower() if ending else ""
    return "\n".join([f"File: {attachment.name}", "", f"{fence}{language}", text.removesuffix("\n"), fence])
