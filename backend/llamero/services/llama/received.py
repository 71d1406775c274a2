"""What a client has received of an answer, read on the side of the relay: all that a recovery needs to know.

Invariant: only what was handed on to the client is counted, so the text here is a prefix of the whole answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from llamero.models.chat import ChunkChoice, StreamChunk, Timings, TokenCounts, Usage, WholeAnswer
from llamero.models.errors import UpstreamFailed

_decode_whole = msgspec.json.Decoder(WholeAnswer).decode
_decode_chunk = msgspec.json.Decoder(StreamChunk).decode
DONE = b"[DONE]"


@dataclass(slots=True)
class ReceivedCall:
    """One tool call: its name, and its arguments so far."""

    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ReceivedChoice:
    """One choice: its texts, and its tool calls by index. `pieces` counts the deltas that said something."""

    role_sent: bool = False
    content: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    calls: dict[int, ReceivedCall] = field(default_factory=dict)
    finish_reason: str | None = None
    pieces: int = 0

    def add(self, choice: ChunkChoice) -> None:
        """Count one delta."""
        delta = choice.delta
        if choice.text:
            self.content.append(choice.text)
        self.role_sent = self.role_sent or delta.role is not None
        if delta.content:
            self.content.append(delta.content)
        if delta.reasoning_content:
            self.reasoning.append(delta.reasoning_content)
        for chunk in delta.tool_calls or ():
            call = self.calls.setdefault(chunk.index, ReceivedCall())
            call.name = call.name or chunk.function.name or ""
            call.arguments.append(chunk.function.arguments or "")
        if choice.text or delta.content or delta.reasoning_content or delta.tool_calls:
            self.pieces += 1
        if choice.finish_reason is not None:
            self.finish_reason = choice.finish_reason


@dataclass(slots=True)
class Received:
    """One answer so far. `id`, `created` and `model` are those of its first chunk.

    `opaque`: the client has something that is no chat chunk, so what it has is not known here.
    """

    choices_wanted: int = 1
    id: str = ""
    created: int = 0
    model: str = ""
    choices: dict[int, ReceivedChoice] = field(default_factory=dict)
    done: bool = False
    failed: bool = False
    opaque: bool = False
    usage: Usage | None = None
    timings: Timings | None = None
    on_first_piece: Callable[[], None] | None = None
    """Called once, with the first delta that says something."""

    def add(self, data: bytes) -> StreamChunk | None:
        """Count the data of one event; None for what is no chunk. Raises UpstreamFailed when it is broken JSON."""
        if data == DONE:
            self.done = True
            return None
        try:
            chunk = _decode_chunk(data)
        except msgspec.ValidationError:
            self.opaque = True
            return None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UpstreamFailed(reason=f"an event that is broken: {error}") from error
        if chunk.error is not None:
            self.failed = True
        if chunk.usage is not None:
            self.usage = chunk.usage
        if chunk.timings is not None:
            self.timings = chunk.timings
        if not self.id:
            self.id, self.created, self.model = chunk.id, chunk.created, chunk.model
        for choice in chunk.choices or _single_choice(chunk):
            known = self.choices.get(choice.index)
            if known is None:
                known = self.choices[choice.index] = ReceivedChoice()
            known.add(choice)
        if self.on_first_piece is not None and self.pieces:
            self.on_first_piece()
            self.on_first_piece = None
        return chunk

    @property
    def content(self) -> str:
        """The text of the first choice."""
        return "".join(self.choices[0].content) if 0 in self.choices else ""

    @property
    def pieces(self) -> int:
        """How many deltas said something. Each stands for one token at least."""
        return sum(choice.pieces for choice in self.choices.values())

    @property
    def tokens(self) -> TokenCounts:
        """What the engine has counted, or where it did not come to that, what was seen of the answer."""
        counts = token_counts(self.usage, self.timings)
        return TokenCounts(counts.prompt, max(counts.generated, self.pieces))

    @property
    def complete(self) -> bool:
        """Is there nothing more to come but the end? Every choice has said why it ended, or an error was told."""
        ended = sum(choice.finish_reason is not None for choice in self.choices.values())
        return self.done or self.failed or ended >= max(self.choices_wanted, len(self.choices), 1)

    @property
    def has_more_than_text(self) -> bool:
        """Reasoning, tool calls or several choices: what a prefilled answer cannot stand for."""
        return len(self.choices) > 1 or any(c.reasoning or c.calls for c in self.choices.values())


def token_counts(usage: Usage | None, timings: Timings | None) -> TokenCounts:
    """How many tokens an engine says that there were; 0 where it does not say."""
    if usage is not None:
        return TokenCounts(usage.prompt_tokens, usage.completion_tokens)
    return TokenCounts() if timings is None else TokenCounts(timings.prompt_n, timings.predicted_n)


def tokens_of_whole(body: bytes) -> TokenCounts:
    """The same for an answer in one piece, which may also be one that counts no tokens, or no JSON."""
    try:
        whole = _decode_whole(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return TokenCounts()
    return token_counts(whole.usage, whole.timings)


def timings_of_whole(body: bytes) -> Timings | None:
    """The engine's own clock for an answer in one piece, where it tells it."""
    try:
        return _decode_whole(body).timings
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _single_choice(chunk: StreamChunk) -> tuple[ChunkChoice, ...]:
    """What llama-server's own completion says, which has no list of choices."""
    if chunk.content is None:
        return ()
    return (ChunkChoice(chunk.index, text=chunk.content, finish_reason="stop" if chunk.stop else None),)
