"""How an answer goes on after its server died: continue from the text, or replay and skip what was sent.

Pure. llama-server continues a last message of the role `assistant` and its first deltas repeat that text. Where that
cannot stand for what was sent (tool calls, several choices, logprobs, reasoning, grammars, a first few characters that
may tokenize differently), the same request with the same seed is replayed. Either way what was sent already is
compared and left out; when it disagrees nothing of it reaches the client.
"""

from __future__ import annotations

from typing import Any

import msgspec

from llamero.models.errors import UpstreamFailed
from llamero.services.llama.received import Received, ReceivedChoice

DISAGREES = "server_error-recovery_disagrees"
SHORT_PREFIX = 24  # characters; below, replaying is cheap and continuing may tokenize differently
_NOT_CONTINUABLE = ("tools", "functions", "response_format", "json_schema", "grammar", "logprobs", "n_probs")


def can_continue(body: dict[str, object], received: Received) -> bool:
    """Does the text received so far stand for all that was sent?"""
    if received.has_more_than_text or len(received.content) < SHORT_PREFIX:
        return False
    if any(body.get(field) for field in _NOT_CONTINUABLE):
        return False
    if body.get("n") not in (None, 1):
        return False
    prefilled = _prefilled(body)
    return isinstance(body.get("messages"), list) and (prefilled is None or received.content.startswith(prefilled))


def continued_body(body: dict[str, object], received: Received, tokens_received: int) -> dict[str, object]:
    """The request whose answer is the rest: the text as the assistant's message, the token limit less what was sent."""
    messages = [*_messages(body)]
    if _prefilled(body) is not None:
        messages.pop()
    messages.append({"role": "assistant", "content": received.content})
    rest = {**body, "messages": messages}
    for limit in ("max_tokens", "max_completion_tokens", "n_predict"):
        value = body.get(limit)
        if isinstance(value, int) and value >= 0:
            rest[limit] = max(1, value - tokens_received)
    return rest


def generated_text(body: dict[str, object], received: Received) -> str:
    """The part of the received text that the server generated, without what the client had prefilled."""
    return received.content.removeprefix(_prefilled(body) or "")


def token_limit_reached(body: dict[str, object], tokens_received: int) -> bool:
    """Was the answer as long as the client allowed when the server died?"""
    limits = [body.get(name) for name in ("max_tokens", "max_completion_tokens", "n_predict")]
    return any(isinstance(limit, int) and 0 <= limit <= tokens_received for limit in limits)


def _messages(body: dict[str, object]) -> list[object]:
    messages = body.get("messages")
    return messages if isinstance(messages, list) else []


def _prefilled(body: dict[str, object]) -> str | None:
    """The text of a last assistant message, which the client wants continued."""
    messages = _messages(body)
    last = messages[-1] if messages else None
    if isinstance(last, dict) and last.get("role") == "assistant" and isinstance(last.get("content"), str):
        return str(last["content"])
    return None


class AlreadySent:
    """Takes what the client has out of a stream that starts again, and gives the rest the identity of the first."""

    def __init__(self, received: Received, *, tokens_continued: int = 0) -> None:
        self._identity = {"id": received.id, "created": received.created, "model": received.model}
        self._role_sent = received.role_sent
        self._tokens_continued = tokens_continued
        self._choices = {index: _Expected(choice) for index, choice in received.choices.items()}

    def rest_of(self, data: bytes) -> bytes | None:
        """What of this event is new, or None. Raises UpstreamFailed when it disagrees with what was sent."""
        chunk: dict[str, Any] = msgspec.json.decode(data)
        if "error" in chunk:
            return data
        chunk.update({k: v for k, v in self._identity.items() if v})
        choices = [c for c in chunk.get("choices", ()) if self._keep(c)]
        if not choices and chunk.get("choices"):
            return None
        chunk["choices"] = choices
        if isinstance(chunk.get("usage"), dict):
            self._correct(chunk["usage"])
        return msgspec.json.encode(chunk)

    def _keep(self, choice: dict[str, Any]) -> bool:
        delta = choice.get("delta") or {}
        said_something = bool(delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls"))
        if self._role_sent and "role" in delta:
            del delta["role"]
            if delta.get("content") is None:
                delta.pop("content", None)
        expected = self._choices.get(choice.get("index", 0))
        if expected is not None:
            expected.remove_from(delta)
            if choice.get("finish_reason") is not None and not expected.is_met:
                raise UpstreamFailed(DISAGREES, reason="it ends before what was already sent")
        says_something = bool(delta.get("content") or delta.get("reasoning_content") or delta.get("tool_calls"))
        return says_something or choice.get("finish_reason") is not None or ("role" in delta and not said_something)

    def _correct(self, usage: dict[str, Any]) -> None:
        """What was continued counts as answer, not as prompt."""
        moved = self._tokens_continued
        if moved and usage.get("prompt_tokens", 0) >= moved:
            usage["prompt_tokens"] -= moved
            usage["completion_tokens"] = usage.get("completion_tokens", 0) + moved


class _Expected:
    """What one choice must repeat before anything of it is new."""

    def __init__(self, choice: ReceivedChoice) -> None:
        self._texts = {"reasoning_content": "".join(choice.reasoning), "content": "".join(choice.content)}
        self._arguments = dict(choice.tool_arguments)
        self._announced = set(choice.tool_arguments)

    @property
    def is_met(self) -> bool:
        return not any(self._texts.values()) and not any(self._arguments.values())

    def remove_from(self, delta: dict[str, Any]) -> None:
        for field in self._texts:
            if delta.get(field):
                delta[field] = self._remove_text(field, delta[field])
        if delta.get("tool_calls"):
            delta["tool_calls"] = [c for c in delta["tool_calls"] if self._keep_call(c)]

    def _remove_text(self, field: str, text: str) -> str:
        expected = self._texts[field]
        if field == "reasoning_content" and not expected and self._texts["content"]:
            raise UpstreamFailed(DISAGREES, reason="it reasons longer than what was already sent")
        if field == "content" and self._texts["reasoning_content"]:
            raise UpstreamFailed(DISAGREES, reason="it reasons less than what was already sent")
        common = min(len(expected), len(text))
        if expected[:common] != text[:common]:
            raise UpstreamFailed(DISAGREES, reason="it says something else than what was already sent")
        self._texts[field] = expected[common:]
        return text[common:]

    def _keep_call(self, call: dict[str, Any]) -> bool:
        index = call.get("index", 0)
        if index not in self._announced:
            return True
        function = call.get("function") or {}
        arguments = function.get("arguments") or ""
        expected = self._arguments.get(index, "")
        common = min(len(expected), len(arguments))
        if expected[:common] != arguments[:common]:
            raise UpstreamFailed(DISAGREES, reason="it calls a tool with other arguments than those already sent")
        self._arguments[index] = expected[common:]
        call.pop("id", None)
        call.pop("type", None)
        call["function"] = {"arguments": arguments[common:]}
        return bool(arguments[common:])
