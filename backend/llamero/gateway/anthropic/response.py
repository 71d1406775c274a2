"""An answer as a message of the Messages API: event by event, or whole. Pure.

Order of events: `message_start`, a `ping` as clients are used to, then for each block `content_block_start`, its deltas
and `content_block_stop`, one block after the other, then `message_delta` with the reason and the usage, and
`message_stop`. An engine counts its prompt only in the end; so the usage of `message_start` is 0, and that of
`message_delta`, which replaces it, is right.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator

import msgspec

from llamero.gateway.tool_calls import GrowingCall, finished
from llamero.models.chat import ChatDelta, Finished, ReasoningDelta, TextDelta, ToolCallDelta, Usage
from llamero.models.errors import UpstreamFailed

_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
_CALLS = frozenset({"tool_calls", "function_call"})

_Fields = dict[str, object]


def event(name: str, fields: _Fields) -> bytes:
    """The bytes of one event. JSON has no line ends, so one line of data always does."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), msgspec.json.encode({"type": name, **fields}))


PING = event("ping", {})


class MessageEvents:
    """One streamed message: `add` every delta, the last one is Finished."""

    def __init__(self, identifier: str, model: str) -> None:
        self._identifier = identifier
        self._model = model
        self._index = -1
        self._open: str | None = None
        self._thought = ""
        self._call: GrowingCall | None = None
        self._calls_made: set[int] = set()

    def start(self) -> bytes:
        """The first events, before any delta."""
        message = _message(self._identifier, self._model, [], None, None, None)
        return event("message_start", {"message": message}) + PING

    def add(self, delta: ChatDelta) -> bytes:
        """The events of the next delta. Raises UpstreamFailed when a call goes on after the next one has begun."""
        match delta:
            case TextDelta():
                return self._in_block("text", {"text": ""}) + self._delta("text_delta", "text", delta.text)
            case ReasoningDelta():
                opening = self._in_block("thinking", {"thinking": "", "signature": ""})
                self._thought += delta.text
                return opening + self._delta("thinking_delta", "thinking", delta.text)
            case ToolCallDelta():
                return self._add_call(delta)
            case Finished():
                return self._close() + self._end(delta)

    def _add_call(self, delta: ToolCallDelta) -> bytes:
        opening = b""
        if self._call is None or self._call.index != delta.index:
            if delta.index in self._calls_made:
                raise UpstreamFailed(reason="a tool call went on after the next one had begun")
            call = GrowingCall(delta)
            fields: _Fields = {"id": call.id, "name": call.name, "input": {}}
            opening = self._close() + self._start_block("tool_use", fields)
            self._call = call
            self._calls_made.add(delta.index)
        piece = self._delta("input_json_delta", "partial_json", delta.arguments) if delta.arguments else b""
        return opening + piece

    def _in_block(self, kind: str, fields: _Fields) -> bytes:
        return b"" if self._open == kind else self._close() + self._start_block(kind, fields)

    def _start_block(self, kind: str, fields: _Fields) -> bytes:
        self._open = kind
        self._index += 1
        return event("content_block_start", {"index": self._index, "content_block": {"type": kind, **fields}})

    def _delta(self, kind: str, field: str, value: str) -> bytes:
        return event("content_block_delta", {"index": self._index, "delta": {"type": kind, field: value}})

    def _close(self) -> bytes:
        if self._open is None:
            return b""
        signature = b""
        if self._open == "thinking":
            signature = self._delta("signature_delta", "signature", signature_of(self._thought))
            self._thought = ""
        self._open = self._call = None
        return signature + event("content_block_stop", {"index": self._index})

    def _end(self, end: Finished) -> bytes:
        reason, sequence = stop_reason(end, called=bool(self._calls_made))
        ending = {"delta": {"stop_reason": reason, "stop_sequence": sequence}, "usage": usage(end.usage)}
        return event("message_delta", ending) + event("message_stop", {})


def whole_message(identifier: str, model: str, deltas: Iterable[ChatDelta]) -> _Fields:
    """The message that all deltas make up. Raises UpstreamFailed where the input of a call is no JSON object."""
    *said, end = deltas
    if not isinstance(end, Finished):
        raise TypeError("the last delta says how the answer ended")
    content = list(_blocks(said, cut_short=end.reason == "length"))
    reason, sequence = stop_reason(end, called=any(block["type"] == "tool_use" for block in content))
    return _message(identifier, model, content, reason, sequence, end.usage)


def _blocks(deltas: list[ChatDelta], *, cut_short: bool) -> Iterator[_Fields]:
    """Neighbors of one kind are one block; calls are told apart by their index."""
    texts: list[str] = []
    for number, delta in enumerate(deltas):
        following = deltas[number + 1] if number + 1 < len(deltas) else None
        if isinstance(delta, TextDelta | ReasoningDelta):
            texts.append(delta.text)
            if type(following) is not type(delta):
                yield _text_block("".join(texts), thought=isinstance(delta, ReasoningDelta))
                texts = []
    calls: dict[int, GrowingCall] = {}
    for delta in deltas:
        if isinstance(delta, ToolCallDelta):
            if delta.index in calls:
                calls[delta.index].add(delta)
            else:
                calls[delta.index] = GrowingCall(delta)
    for call in calls.values():
        whole = finished(call, cut_short=cut_short)
        if whole is not None:
            yield {"type": "tool_use", "id": whole.id, "name": whole.name, "input": whole.arguments}


def _text_block(text: str, *, thought: bool) -> _Fields:
    if thought:
        return {"type": "thinking", "thinking": text, "signature": signature_of(text)}
    return {"type": "text", "text": text, "citations": None}


def stop_reason(end: Finished, *, called: bool) -> tuple[str, str | None]:
    """Why the message ended, and the stop sequence where the engine says which."""
    if end.reason in _CALLS or (called and end.reason == "stop"):
        return "tool_use", None
    if end.reason == "stop" and end.stop_sequence is not None:
        return "stop_sequence", end.stop_sequence
    return _STOP_REASONS.get(end.reason, "end_turn"), None


def usage(counted: Usage | None) -> _Fields:
    """The tokens of a request. Nothing is billed here, so nothing counts as cached."""
    counted = counted or Usage()
    return {
        "input_tokens": counted.prompt_tokens,
        "output_tokens": counted.completion_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
    }


def signature_of(thought: str) -> str:
    """What stands in the place of Anthropic's seal: clients send it back, and nobody looks at it here."""
    return base64.b64encode(hashlib.sha256(thought.encode("utf-8", "replace")).digest()).decode()


def _message(
    identifier: str, model: str, content: list[_Fields], reason: str | None, sequence: str | None, counted: Usage | None
) -> _Fields:
    return {
        "id": identifier,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": reason,
        "stop_sequence": sequence,
        "usage": usage(counted),
    }
