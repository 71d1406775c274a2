"""`truncation: auto`: leaves out the oldest turns of a conversation that does not fit into the model's context.

Pure. A turn is what the user said and all that came of it, so that no result of a function stands without its call.
What opens the conversation as the system's words stays, and so does the last turn.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llamero.gateway.openai.responses.input_items import Message

# What may be filled of the context; the answer needs room, too.
SHARE = 0.75


def shortened(messages: Sequence[Message], tokens: int, limit: int) -> list[Message] | None:
    """The messages without as many old turns as seem too many, at least one; None where only one is left.

    `tokens` is what all of them came to, `limit` the context. Tokens are shared out by length, so the result may still
    be too long, and is then shortened again.
    """
    opening, turns = _turns(messages)
    sizes = [len(msgspec.json.encode(turn)) for turn in turns]
    whole = len(msgspec.json.encode(opening)) + sum(sizes)
    excess = whole * (1 - SHARE * limit / max(1, tokens))
    dropped = 0
    while dropped < len(turns) - 1 and (dropped == 0 or sum(sizes[:dropped]) < excess):
        dropped += 1
    if dropped == 0:
        return None
    return [*opening, *(message for turn in turns[dropped:] for message in turn)]


def _turns(messages: Sequence[Message]) -> tuple[list[Message], list[list[Message]]]:
    opening: list[Message] = []
    turns: list[list[Message]] = []
    for message in messages:
        if message["role"] == "system" and not turns:
            opening.append(message)
        elif message["role"] == "user" or not turns:
            turns.append([message])
        else:
            turns[-1].append(message)
    return opening, turns
