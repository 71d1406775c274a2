"""Builds a response out of the chunks of a chat stream, and says which events tell a client of it.

Pure: no IO, no clock but the one given. Invariants: events are numbered from 0 without a gap; every delta comes after
its item and part were announced; the last event is `response.completed`, `.incomplete` or `.failed`, or, where nobody
listens any more, none; `response` is at any time what has been told so far.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec
from msgspec.structs import replace

from llamero.gateway.openai.responses.input_items import NewId
from llamero.gateway.openai.responses.output import CallWriting, Event, TextWriting, Writing
from llamero.models.chat import ChunkChoice, StreamChunk, ToolCallChunk, Usage
from llamero.models.responses import (
    IncompleteDetails,
    InputTokensDetails,
    ItemStatus,
    OutputText,
    OutputTokensDetails,
    ReasoningText,
    Response,
    ResponseError,
    ResponseStatus,
    ResponseUsage,
)

# What a chat calls the end of an answer that is not whole, and what the Responses API calls it.
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}


class ResponseBuilder:
    """One response from its beginning to its end."""

    def __init__(self, response: Response, new_id: NewId, now: Callable[[], float]) -> None:
        self.begun = False
        self._response = response
        self._new_id = new_id
        self._now = now
        self._number = 0
        self._written: list[Writing] = []
        self._text: TextWriting | None = None
        self._calls: dict[int, CallWriting] = {}
        self._reason: str | None = None
        self._usage: Usage | None = None

    @property
    def response(self) -> Response:
        """The response as it stands."""
        return replace(self._response, output=tuple([writing.item() for writing in self._written]))

    @property
    def is_whole(self) -> bool:
        """Whether the engine has said how it ended."""
        return self._reason is not None

    def begin(self) -> list[bytes]:
        """Tell that the response exists."""
        self.begun = True
        created = [("response.created", self._whole())]
        if self._response.status is ResponseStatus.QUEUED:
            created.append(("response.queued", self._whole()))
        return self._encoded(created)

    def start(self) -> list[bytes]:
        """Tell that a model is at work."""
        self._response = replace(self._response, status=ResponseStatus.IN_PROGRESS)
        return self._encoded([("response.in_progress", self._whole())])

    def add(self, chunk: StreamChunk) -> list[bytes]:
        """Take a chunk in, and tell what came with it."""
        self._usage = chunk.usage or self._usage
        events: list[Event] = []
        for choice in chunk.choices:
            if choice.index == 0:
                self._take(choice, events)
        return self._encoded(events)

    def finish(self) -> list[bytes]:
        """End with what has come: completed, or incomplete where the engine stopped the model."""
        events: list[Event] = []
        reason = _INCOMPLETE.get(self._reason or "")
        self._close_all(events, ItemStatus.COMPLETED if reason is None else ItemStatus.INCOMPLETE)
        if reason is None:
            self._end(ResponseStatus.COMPLETED, completed_at=int(self._now()))
        else:
            self._end(ResponseStatus.INCOMPLETE, incomplete_details=IncompleteDetails(reason=reason))
        return self._encoded([*events, (f"response.{self._response.status.value}", self._whole())])

    def fail(self, error: ResponseError, code: str, param: str | None) -> list[bytes]:
        """End with an error. `code` and `param` are those of the other routes; `error` has the API's own code."""
        self._interrupt(ResponseStatus.FAILED, error=error)
        told: dict[str, object] = {"code": code, "message": error.message, "param": param}
        return self._encoded([("error", told), ("response.failed", self._whole())])

    def cancel(self) -> None:
        """End because nobody wants the rest."""
        self._interrupt(ResponseStatus.CANCELLED)

    def _take(self, choice: ChunkChoice, events: list[Event]) -> None:
        delta = choice.delta
        if delta.reasoning_content:
            events.append(self._writing(ReasoningText, "rs", events).add(delta.reasoning_content))
        if delta.content:
            logprobs = choice.logprobs.content if choice.logprobs is not None else None
            events.append(self._writing(OutputText, "msg", events).add(delta.content, logprobs or ()))
        for call in delta.tool_calls or ():
            self._take_call(call, events)
        self._reason = choice.finish_reason or self._reason

    def _take_call(self, piece: ToolCallChunk, events: list[Event]) -> None:
        """Calls stay open until the end, whatever order their pieces come in."""
        call = self._calls.get(piece.index)
        # Some servers number none of their calls, and give each its own id.
        if call is None or (piece.id and piece.id != call.call_id):
            self._close_text(events)
            name = piece.function.name or ""
            call = CallWriting(self._new_id("fc"), len(self._written), piece.id or self._new_id("call"), name)
            self._calls[piece.index] = call
            self._written.append(call)
            events.extend(call.open())
        if piece.function.arguments:
            events.append(call.add(piece.function.arguments))

    def _writing(self, kind: type[OutputText] | type[ReasoningText], prefix: str, events: list[Event]) -> TextWriting:
        """The item to which a piece of this kind belongs; a new one after something else."""
        if self._text is None or self._text.kind is not kind:
            self._close_text(events)
            self._text = TextWriting(self._new_id(prefix), len(self._written), kind)
            self._written.append(self._text)
            events.extend(self._text.open())
        return self._text

    def _close_text(self, events: list[Event]) -> None:
        if self._text is not None:
            events.extend(self._text.close(ItemStatus.COMPLETED))
            self._text = None

    def _close_all(self, events: list[Event], status: ItemStatus) -> None:
        self._text = None
        for writing in self._written:
            events.extend(writing.close(status))

    def _interrupt(self, status: ResponseStatus, error: ResponseError | None = None) -> None:
        self._close_all([], ItemStatus.INCOMPLETE)
        self._end(status, error=error)

    def _end(
        self,
        status: ResponseStatus,
        *,
        completed_at: int | None = None,
        error: ResponseError | None = None,
        incomplete_details: IncompleteDetails | None = None,
    ) -> None:
        self._response = replace(
            self._response,
            status=status,
            completed_at=completed_at,
            error=error,
            incomplete_details=incomplete_details,
            usage=None if self._usage is None else _usage(self._usage),
        )

    def _whole(self) -> dict[str, object]:
        return {"response": self.response}

    def _encoded(self, events: Iterable[Event]) -> list[bytes]:
        return [self._encode(name, fields) for name, fields in events]

    def _encode(self, name: str, fields: dict[str, object]) -> bytes:
        event = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + name.encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"


def _usage(usage: Usage) -> ResponseUsage:
    prompt, completion = usage.prompt_tokens_details, usage.completion_tokens_details
    cached = prompt.cached_tokens if prompt is not None else None
    reasoning = completion.reasoning_tokens if completion is not None else None
    return ResponseUsage(
        input_tokens=usage.prompt_tokens,
        output_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        input_tokens_details=InputTokensDetails(cached_tokens=cached or 0),
        output_tokens_details=OutputTokensDetails(reasoning_tokens=reasoning or 0),
    )
