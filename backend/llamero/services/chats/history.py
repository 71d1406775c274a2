"""What a model is told of a conversation: the branch from its root to the question.

The system prompt comes first; reasoning is left out, as the models' makers ask for; answers that were cut short count
as far as they came, and those that brought nothing are left out. Neighbours of one role become one message, since the
templates of many models insist that the roles alternate.
"""

from __future__ import annotations

from collections.abc import Iterable

from llamero.models.conversations import Message, Role
from llamero.services.chats.protocols import ChatMessages


def history(system_prompt: str, branch: Iterable[Message]) -> ChatMessages:
    """The messages of the chat completions API for a branch that ends with the question."""
    turns: list[tuple[Role, str]] = []
    for message in branch:
        if not message.content.strip():
            continue
        if turns and turns[-1][0] is message.role:
            turns[-1] = message.role, f"{turns[-1][1]}\n\n{message.content}"
        else:
            turns.append((message.role, message.content))
    told: ChatMessages = [{"role": "system", "content": system_prompt}] if system_prompt.strip() else []
    told += [{"role": role.value, "content": content} for role, content in turns]
    return told
