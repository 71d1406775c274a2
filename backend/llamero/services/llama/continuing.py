"""The request by which another server goes on with an answer from the text that the client has.

Pure. llama-server continues a last message of the role `assistant`, and when asked to echo it, its first delta is that
text and a little more. A completion goes on when its text is put behind the prompt; there nothing is repeated.

Where the text cannot stand for what was sent (tool calls, several choices, logprobs, reasoning, grammars, a first few
characters that may tokenize differently) there is no continuing.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from llamero.models.inference import CHAT, COMPLETIONS
from llamero.services.llama.received import Received

SHORT_PREFIX = 24  # characters; below, replaying is cheap and continuing may tokenize differently
_NOT_CONTINUABLE = ("tools", "functions", "response_format", "json_schema", "grammar", "logprobs", "n_probs")
_LIMITS = ("max_tokens", "max_completion_tokens", "n_predict")
# Builds before mid-2026 know none of these, and do so anyway; later ones refuse the second without the third.
_CONTINUE = {"echo": True, "continue_final_message": True, "add_generation_prompt": False}
_Message = dict[str, Any]


class Continuation(Protocol):
    """How an answer to one request is continued.

    `repeats`: the new server says again what it was given, which proves that it goes on from there. One that had begun
    the answer anew, or a turn of its own, would begin with less.
    """

    repeats: ClassVar[bool]

    def possible(self, received: Received) -> bool:
        """Does the text received so far stand for all that was sent?"""
        ...

    def body(self, received: Received, tokens_received: int) -> dict[str, object]:
        """The request whose answer is the rest, its token limit less what was sent."""
        ...

    def generated(self, received: Received) -> str:
        """The part of the received text that the server generated."""
        ...


class ChatContinuation:
    """The text becomes the assistant's message."""

    repeats: ClassVar[bool] = True

    def __init__(self, body: dict[str, object]) -> None:
        self._body = body
        messages = body.get("messages")
        self._messages: list[Any] | None = messages if isinstance(messages, list) else None
        last = self._messages[-1] if self._messages else None
        prefills = isinstance(last, dict) and last.get("role") == "assistant"
        self._prefilled: _Message | None = last if prefills else None
        """A last message of the assistant, which the client wants continued."""

    def possible(self, received: Received) -> bool:
        """Does the text received so far stand for all that was sent?"""
        if not _is_plain_text(self._body, received):
            return False
        if self._prefilled is None:
            return self._messages is not None
        text = self._prefilled.get("content")
        # Not every build repeats what the client prefilled; of a short text it cannot be told whether this one did.
        return isinstance(text, str) and len(text) >= SHORT_PREFIX and received.content.startswith(text)

    def body(self, received: Received, tokens_received: int) -> dict[str, object]:
        """The conversation with the text as its last message."""
        messages = self._messages or []
        if self._prefilled is not None:
            messages = messages[:-1]
        answer = {**(self._prefilled or {"role": "assistant"}), "content": received.content}
        return {**self._body, **_CONTINUE, **_limits_left(self._body, tokens_received), "messages": [*messages, answer]}

    def generated(self, received: Received) -> str:
        """The text without what the client had prefilled."""
        if self._prefilled is None:
            return received.content
        return received.content.removeprefix(str(self._prefilled["content"]))


class TextContinuation:
    """The text goes behind the prompt."""

    repeats: ClassVar[bool] = False

    def __init__(self, body: dict[str, object]) -> None:
        self._body = body

    def possible(self, received: Received) -> bool:
        """Does the text received so far stand for all that was sent, to a single prompt of text?"""
        return isinstance(self._body.get("prompt"), str) and _is_plain_text(self._body, received)

    def body(self, received: Received, tokens_received: int) -> dict[str, object]:
        """The prompt with the text behind it."""
        prompt = f"{self._body['prompt']}{received.content}"
        return {**self._body, **_limits_left(self._body, tokens_received), "prompt": prompt}

    def generated(self, received: Received) -> str:
        """All of it."""
        return received.content


def continuation_of(endpoint: str, body: dict[str, object]) -> Continuation | None:
    """How an answer of this endpoint is continued, None where it can only be replayed."""
    if endpoint == CHAT:
        return ChatContinuation(body)
    return TextContinuation(body) if endpoint == COMPLETIONS else None


def token_limit_reached(body: dict[str, object], tokens_received: int) -> bool:
    """Was the answer as long as the client allowed when the server died?"""
    limits = [body.get(name) for name in _LIMITS]
    return any(isinstance(limit, int) and 0 <= limit <= tokens_received for limit in limits)


def _is_plain_text(body: dict[str, object], received: Received) -> bool:
    if received.has_more_than_text or len(received.content) < SHORT_PREFIX:
        return False
    return not any(body.get(field) for field in _NOT_CONTINUABLE) and body.get("n") in (None, 1)


def _limits_left(body: dict[str, object], tokens_received: int) -> dict[str, object]:
    limits = {name: body.get(name) for name in _LIMITS}
    return {n: max(1, limit - tokens_received) for n, limit in limits.items() if isinstance(limit, int) and limit >= 0}
