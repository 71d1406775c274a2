"""How an answer goes on after its server died: continue from the text, or replay and skip what was sent.

Pure. llama-server continues a last message of the role `assistant`, and when asked to echo it, its first delta is that
text and a little more. That is the proof: a server that had begun the answer anew, or a turn of its own, would begin
with less. Where the text cannot stand for what was sent (tool calls, several choices, logprobs, reasoning, grammars, a
first few characters that may tokenize differently), the same request with the same seed is replayed. Either way what
was sent already is compared and left out; nothing new of a choice passes before all that was sent of it has come again.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llamero.models.chat import StreamChunk
from llamero.models.errors import UpstreamFailed
from llamero.services.llama.received import Received, ReceivedCall, ReceivedChoice

DISAGREES = "server_error-recovery_disagrees"
SHORT_PREFIX = 24  # characters; below, replaying is cheap and continuing may tokenize differently
_NOT_CONTINUABLE = ("tools", "functions", "response_format", "json_schema", "grammar", "logprobs", "n_probs")
_LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")
# Builds before mid-2026 know none of these, and do so anyway; later ones refuse the second without the third.
_CONTINUE = {"echo": True, "continue_final_message": True, "add_generation_prompt": False}
_Message = dict[str, Any]


def can_continue(body: dict[str, object], received: Received) -> bool:
    """Does the text received so far stand for all that was sent?"""
    if received.has_more_than_text or len(received.content) < SHORT_PREFIX:
        return False
    if any(body.get(field) for field in _NOT_CONTINUABLE) or body.get("n") not in (None, 1):
        return False
    prefilled = _prefilled(body)
    if prefilled is None:
        return isinstance(body.get("messages"), list)
    text = prefilled.get("content")
    # Not every build repeats what the client prefilled; of a short text it cannot be told whether this one did.
    return isinstance(text, str) and len(text) >= SHORT_PREFIX and received.content.startswith(text)


def continued_body(body: dict[str, object], received: Received, tokens_received: int) -> dict[str, object]:
    """The request whose answer is the rest: the text as the assistant's message, the token limit less what was sent."""
    prefilled = _prefilled(body)
    messages = _messages(body)
    if prefilled is not None:
        messages = messages[:-1]
    answer = {**(prefilled or {"role": "assistant"}), "content": received.content}
    rest = {**body, **_CONTINUE, "messages": [*messages, answer]}
    for limit in _LIMITS:
        value = body.get(limit)
        if isinstance(value, int) and value >= 0:
            rest[limit] = max(1, value - tokens_received)
    return rest


def generated_text(body: dict[str, object], received: Received) -> str:
    """The part of the received text that the server generated, without what the client had prefilled."""
    prefilled = _prefilled(body)
    return received.content.removeprefix(str(prefilled["content"])) if prefilled else received.content


def token_limit_reached(body: dict[str, object], tokens_received: int) -> bool:
    """Was the answer as long as the client allowed when the server died?"""
    limits = [body.get(name) for name in _LIMITS]
    return any(isinstance(limit, int) and 0 <= limit <= tokens_received for limit in limits)


def _messages(body: dict[str, object]) -> list[Any]:
    messages = body.get("messages")
    return messages if isinstance(messages, list) else []


def _prefilled(body: dict[str, object]) -> _Message | None:
    """A last message of the assistant, which the client wants continued."""
    messages = _messages(body)
    last = messages[-1] if messages else None
    return last if isinstance(last, dict) and last.get("role") == "assistant" else None


class AlreadySent:
    """Takes what the client has out of a stream that starts again, and gives the rest the identity of the first.

    `tokens_continued`: how many tokens of the answer the new server was given as its prompt; None when it was not.
    """

    def __init__(self, received: Received, *, tokens_continued: int | None = None) -> None:
        identity = {"id": received.id, "created": received.created, "model": received.model}
        self._identity = {name: value for name, value in identity.items() if value}
        self._tokens_continued = tokens_continued
        continued = tokens_continued is not None
        self._choices = {index: _Expected(choice, continued) for index, choice in received.choices.items()}

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
        if isinstance(chunk.get("usage"), dict):
            self._correct(chunk["usage"])
        return msgspec.json.encode(chunk)

    def _keep(self, choice: dict[str, Any]) -> bool:
        expected = self._choices.get(choice.get("index", 0))
        if expected is None:
            return True
        delta = choice.setdefault("delta", {})
        expected.remove_from(delta)
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

    def __init__(self, choice: ReceivedChoice, at_once: bool) -> None:
        self._at_once = at_once
        self.has_ended = choice.finish_reason is not None
        self._role_sent = choice.role_sent
        self._texts = {"reasoning_content": "".join(choice.reasoning), "content": "".join(choice.content)}
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
        raise UpstreamFailed(reason=f"an event that is no chat chunk: {error}") from error
    return chunk
