"""What of a stream that starts again is new, after its server died.

Pure. Either the new server continues (`continuing.py`), or the same request with the same seed is replayed. Either way
what was sent already is compared and left out; nothing new of a choice passes before all that was sent of it has come
again. A chat says `delta`, a completion `text`, and llama-server's own completion has one choice, without a list.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llamero.models.chat import StreamChunk
from llamero.models.errors import UpstreamFailed
from llamero.services.llama.received import Received, ReceivedCall, ReceivedChoice

DISAGREES = "server_error-recovery_disagrees"


class AlreadySent:
    """Takes what the client has out of a stream that starts again, and gives the rest the identity of the first.

    `tokens_continued`: how many tokens of the answer the new server was given as its prompt; None when it was not.
    `repeats`: it begins with what was sent.
    """

    def __init__(self, received: Received, *, tokens_continued: int | None = None, repeats: bool = True) -> None:
        identity = {"id": received.id, "created": received.created, "model": received.model}
        self._identity = {name: value for name, value in identity.items() if value}
        self._tokens_continued = tokens_continued
        continued = tokens_continued is not None
        self._choices = {i: _Expected(choice, continued, repeats) for i, choice in received.choices.items()}

    def rest_of(self, data: bytes) -> bytes | None:
        """What of this event is new, or None. Raises UpstreamFailed when it disagrees with what was sent."""
        chunk = _checked_chunk(data)
        if chunk.get("error") is not None:
            return data
        chunk.update(self._identity)
        if choices := chunk.get("choices"):
            chunk["choices"] = kept = [choice for choice in choices if self._keep(choice)]
            if not kept:
                return None
        elif isinstance(chunk.get("content"), str) and not self._keep_single(chunk):
            return None
        if isinstance(chunk.get("usage"), dict):
            self._correct(chunk["usage"])
        return msgspec.json.encode(chunk)

    def _keep_single(self, chunk: dict[str, Any]) -> bool:
        choice = {"index": chunk.get("index", 0), "text": chunk["content"], "finish_reason": chunk.get("stop") or None}
        kept = self._keep(choice)
        chunk["content"] = choice["text"]
        return kept

    def _keep(self, choice: dict[str, Any]) -> bool:
        expected = self._choices.get(choice.get("index", 0))
        if expected is None:
            return True
        delta = {"content": choice["text"] or ""} if "text" in choice else choice.setdefault("delta", {})
        expected.remove_from(delta)
        if "text" in choice:
            choice["text"] = delta["content"]
        is_new = bool(delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls"))
        ends = choice.get("finish_reason") is not None
        if (is_new or ends) and not expected.is_met:
            raise _disagreement("it goes on before it has repeated what was already sent")
        if is_new and expected.has_ended:
            raise _disagreement("it goes on where the answer had ended")
        return is_new or "role" in delta or (ends and not expected.has_ended)

    def _correct(self, usage: dict[str, Any]) -> None:
        """What was continued counts as answer, not as prompt."""
        moved = self._tokens_continued
        if moved and usage.get("prompt_tokens", 0) >= moved:
            usage["prompt_tokens"] -= moved
            usage["completion_tokens"] = usage.get("completion_tokens", 0) + moved


class _Expected:
    """What one choice must repeat before anything of it is new."""

    def __init__(self, choice: ReceivedChoice, at_once: bool, repeats: bool) -> None:
        self._at_once = at_once
        self.has_ended = choice.finish_reason is not None
        self._role_sent = choice.role_sent
        texts = {"reasoning_content": "".join(choice.reasoning), "content": "".join(choice.content)}
        self._texts = texts if repeats else {}
        self._calls = {index: _ExpectedCall(call) for index, call in choice.calls.items()}

    @property
    def is_met(self) -> bool:
        return not any(self._texts.values()) and all(call.is_met for call in self._calls.values())

    def remove_from(self, delta: dict[str, Any]) -> None:
        if self._role_sent and delta.pop("role", None) is not None and delta.get("content") is None:
            delta.pop("content", None)
        for field, expected in self._texts.items():
            if delta.get(field):
                if self._at_once and len(delta[field]) < len(expected):
                    raise _disagreement("it does not go on from what was already sent")
                self._texts[field], delta[field] = _without(expected, delta[field], "it says something else")
        if delta.get("tool_calls"):
            delta["tool_calls"] = [call for call in delta["tool_calls"] if self._keep_call(call)]

    def _keep_call(self, call: dict[str, Any]) -> bool:
        expected = self._calls.get(call.get("index", 0))
        return expected is None or expected.leaves_something_of(call)


class _ExpectedCall:
    """What one tool call must repeat. Its id is random, so the client keeps the first one."""

    def __init__(self, call: ReceivedCall) -> None:
        self._name = call.name
        self._arguments = "".join(call.arguments)
        self._announced = False

    @property
    def is_met(self) -> bool:
        return self._announced and not self._arguments

    def leaves_something_of(self, call: dict[str, Any]) -> bool:
        function = call.get("function") or {}
        if (function.get("name") or self._name) != self._name:
            raise _disagreement("it calls another tool")
        self._announced = True
        self._arguments, new = _without(
            self._arguments, function.get("arguments") or "", "it calls a tool with other arguments"
        )
        call.pop("id", None)
        call.pop("type", None)
        call["function"] = {"arguments": new}
        return bool(new)


def _without(expected: str, text: str, problem: str) -> tuple[str, str]:
    """What is still expected after `text`, and what of `text` is new."""
    common = min(len(expected), len(text))
    if expected[:common] != text[:common]:
        raise _disagreement(f"{problem} than what was already sent")
    return expected[common:], text[common:]


def _disagreement(reason: str) -> UpstreamFailed:
    return UpstreamFailed(DISAGREES, reason=reason)


def _checked_chunk(data: bytes) -> dict[str, Any]:
    """The event as JSON, known to have the shape of a chunk."""
    try:
        msgspec.json.decode(data, type=StreamChunk)
        chunk: dict[str, Any] = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"an event that is no chunk: {error}") from error
    return chunk
