"""What a client has received of an answer, read on the side of the relay: all that a recovery needs to know.

Invariant: only what was handed on to the client is counted, so the text here is a prefix of the whole answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from llamero.models.chat import ChunkChoice, StreamChunk
from llamero.models.errors import UpstreamFailed

_decode_chunk = msgspec.json.Decoder(StreamChunk).decode
DONE = b"[DONE]"


@dataclass
class ReceivedChoice:
    """One choice: its texts, and the arguments of each tool call by index."""

    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    tool_arguments: dict[int, str] = field(default_factory=dict)
    finish_reason: str | None = None

    def add(self, choice: ChunkChoice) -> None:
        """Count one delta."""
        delta = choice.delta
        if delta.content:
            self.content.append(delta.content)
        if delta.reasoning_content:
            self.reasoning.append(delta.reasoning_content)
        for call in delta.tool_calls or ():
            known = self.tool_arguments.get(call.index, "")
            self.tool_arguments[call.index] = known + (call.function.arguments or "")
        if choice.finish_reason is not None:
            self.finish_reason = choice.finish_reason


@dataclass
class Received:
    """One answer so far. `id`, `created` and `model` are those of its first chunk."""

    id: str = ""
    created: int = 0
    model: str = ""
    role_sent: bool = False
    choices: dict[int, ReceivedChoice] = field(default_factory=dict)
    done: bool = False
    failed: bool = False
    usage_seen: bool = False

    def add(self, data: bytes) -> StreamChunk | None:
        """Count the data of one event; None for `[DONE]`. Raises UpstreamFailed when it is not a chunk."""
        if data == DONE:
            self.done = True
            return None
        try:
            chunk = _decode_chunk(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpstreamFailed(reason=f"an event that is no chat chunk: {error}") from error
        if chunk.error is not None:
            self.failed = True
        if not self.id:
            self.id, self.created, self.model = chunk.id, chunk.created, chunk.model
        for choice in chunk.choices:
            self.role_sent = self.role_sent or choice.delta.role is not None
            self.choices.setdefault(choice.index, ReceivedChoice()).add(choice)
        self.usage_seen = self.usage_seen or chunk.usage is not None
        return chunk

    @property
    def content(self) -> str:
        """The text of the first choice."""
        return "".join(self.choices[0].content) if 0 in self.choices else ""

    @property
    def finished(self) -> bool:
        """Has every choice said why it ended?"""
        return bool(self.choices) and all(c.finish_reason is not None for c in self.choices.values())

    @property
    def has_more_than_text(self) -> bool:
        """Reasoning, tool calls or several choices: what a prefilled answer cannot stand for."""
        return len(self.choices) > 1 or any(c.reasoning or c.tool_arguments for c in self.choices.values())
