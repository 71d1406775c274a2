"""An answer in Ollama's words: line by line, or whole. Pure, but for the clock that it is given.

A line is a JSON object. Each has a piece of the answer; tool calls come when they are whole, with their arguments as an
object; the last one has `done`, why the answer ended, and how many tokens and nanoseconds everything took. Times are
the engine's own where it tells them. `load_duration` is the rest of the wait for the first piece: loading, queueing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import msgspec

from llamero.gateway.tool_calls import GrowingCall, WholeCall, finished
from llamero.models.chat import ChatDelta, Finished, Logprob, ReasoningDelta, TextDelta, ToolCallDelta, Usage

_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1_000_000

_Fields = dict[str, object]


class Clock(Protocol):
    """The two times that an answer needs."""

    def time(self) -> float:
        """Wall-clock seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, never going backwards."""
        ...


def timestamp(seconds: float) -> str:
    """Write a time as Ollama does: RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _logprobs(logprobs: Sequence[Logprob]) -> _Fields:
    """How likely each token was, and what else could have stood there; nothing where that is not known."""
    return {"logprobs": [_logprob(one) for one in logprobs]} if logprobs else {}


def _logprob(one: Logprob) -> _Fields:
    likely = {"token": one.token, "logprob": one.logprob, "bytes": one.bytes or ()}
    return {**likely, "top_logprobs": one.top_logprobs} if one.top_logprobs else likely


class AnswerLines:
    """One answer. `as_chat`: a message of the chat; otherwise the response to a prompt. The clock starts here."""

    def __init__(self, model: str, clock: Clock, *, as_chat: bool) -> None:
        self._model = model
        self._clock = clock
        self._as_chat = as_chat
        self._began = clock.monotonic()
        self._waited: float | None = None
        self._call: GrowingCall | None = None
        self._calls_made = 0

    def add(self, delta: ChatDelta) -> bytes:
        """The lines of the next delta; the last one is Finished. Raises UpstreamFailed for a call that is none."""
        if self._waited is None:
            self._waited = self._clock.monotonic() - self._began
        match delta:
            case TextDelta():
                return self._line(self._said(delta.text) | _logprobs(delta.logprobs))
            case ReasoningDelta():
                return self._line(self._said("", thinking=delta.text) | _logprobs(delta.logprobs))
            case ToolCallDelta():
                return self._add_call(delta)
            case Finished():
                calls = self._end_call(cut_short=delta.reason == "length")
                return calls + self._line({**self._said(""), **self._ending(delta)})

    def whole(self, deltas: Sequence[ChatDelta]) -> _Fields:
        """The one object that all deltas make up. Raises UpstreamFailed for a call that is none."""
        document: _Fields = {}
        texts: list[str] = []
        thoughts: list[str] = []
        logprobs: list[Logprob] = []
        calls: dict[int, GrowingCall] = {}
        for delta in deltas:
            match delta:
                case TextDelta():
                    texts.append(delta.text)
                    logprobs += delta.logprobs
                case ReasoningDelta():
                    thoughts.append(delta.text)
                    logprobs += delta.logprobs
                case ToolCallDelta() if delta.index in calls:
                    calls[delta.index].add(delta)
                case ToolCallDelta():
                    calls[delta.index] = GrowingCall(delta)
                case Finished():
                    ended = [finished(call, cut_short=delta.reason == "length") for call in calls.values()]
                    made = [call for call in ended if call is not None]
                    document = self._said("".join(texts), thinking="".join(thoughts), calls=made)
                    document |= _logprobs(logprobs) | self._ending(delta)
        return self._stamped(document)

    def only_ending(self, reason: str) -> _Fields:
        """What answers a request that only loads or unloads."""
        return self._stamped({**self._said(""), "done": True, "done_reason": reason})

    def _add_call(self, delta: ToolCallDelta) -> bytes:
        if self._call is not None and self._call.index == delta.index:
            self._call.add(delta)
            return b""
        line = self._end_call(cut_short=False)
        self._call = GrowingCall(delta)
        return line

    def _end_call(self, *, cut_short: bool) -> bytes:
        whole = finished(self._call, cut_short=cut_short) if self._call is not None else None
        self._call = None
        if whole is None:
            return b""
        line = self._line(self._said("", calls=[whole]))
        self._calls_made += 1
        return line

    def _said(self, text: str, *, thinking: str = "", calls: Sequence[WholeCall] = ()) -> _Fields:
        said: _Fields = {"role": "assistant", "content": text} if self._as_chat else {"response": text}
        if thinking:
            said["thinking"] = thinking
        if calls:
            said["tool_calls"] = [
                {"id": call.id, "function": {"index": place, "name": call.name, "arguments": call.arguments}}
                for place, call in enumerate(calls, self._calls_made)
            ]
        return {"message": said} if self._as_chat else said

    def _ending(self, end: Finished) -> _Fields:
        total = round((self._clock.monotonic() - self._began) * _NS_PER_S)
        waited = total if self._waited is None else min(total, round(self._waited * _NS_PER_S))
        usage = end.usage or Usage()
        if end.timings is not None:
            reading, writing = round(end.timings.prompt_ms * _NS_PER_MS), round(end.timings.predicted_ms * _NS_PER_MS)
        else:
            reading, writing = 0, total - waited
        return {
            "done": True,
            "done_reason": "length" if end.reason == "length" else "stop",
            "total_duration": total,
            # What the engine had written before we saw the first of it is no waiting.
            "load_duration": max(0, min(waited, total - writing) - reading),
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": reading,
            "eval_count": usage.completion_tokens,
            "eval_duration": writing,
        }

    def _line(self, fields: _Fields) -> bytes:
        return msgspec.json.encode(self._stamped(fields)) + b"\n"

    def _stamped(self, fields: _Fields) -> _Fields:
        return {"model": self._model, "created_at": timestamp(self._clock.time()), "done": False, **fields}
