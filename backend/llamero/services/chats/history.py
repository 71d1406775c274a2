"""What a model is told of a conversation: the branch from its root to the question.

The system prompt comes first; reasoning is left out, as the models' makers ask for; answers that were cut short count
as far as they came, and those that brought nothing are left out. Neighbours of one role become one message, since the
templates of many models insist that the roles alternate. Files stand before the words that they came with, each under
its name: what is asked is best read last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from llamero.models.conversations import Attachment, Message, Role
from llamero.services.chats.protocols import ChatMessages

_FENCES = re.compile("`{3,}")
_LANGUAGE = re.compile(r"\.([A-Za-z0-9+#_-]{1,12})")


def history(system_prompt: str, branch: Iterable[Message], bodies: Mapping[str, bytes]) -> ChatMessages:
    """The messages of the chat completions API for a branch that ends with the question.

    `bodies` are those of the attachments by their ids.
    """
    turns: list[tuple[Role, str]] = []
    for message in branch:
        content = _said(message, bodies)
        if not content.strip():
            continue
        if turns and turns[-1][0] is message.role:
            turns[-1] = message.role, f"{turns[-1][1]}\n\n{content}"
        else:
            turns.append((message.role, content))
    told: ChatMessages = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    told += [{"role": role.value, "content": content} for role, content in turns]
    return told


def _said(message: Message, bodies: Mapping[str, bytes]) -> str:
    """The words of a message, after the files that came with them."""
    files = [_file(attachment, bodies[attachment.id].decode()) for attachment in message.attachments]
    return "\n\n".join([*files, message.content] if message.content.strip() else files)


def _file(attachment: Attachment, text: str) -> str:
    """A file as models know it from what they were trained on: its name, and its text in a fence that it cannot end."""
    fence = "`" * max([3, *(len(found) + 1 for found in _FENCES.findall(text))])
    ending = _LANGUAGE.fullmatch(PurePosixPath(attachment.name).suffix)
    language = ending[1].lower() if ending else ""
    return "\n".join([f"File: {attachment.name}", "", f"{fence}{language}", text.removesuffix("\n"), fence])
