"""Deterministic text: the same messages give the same answer in every process, unless told otherwise.

The shapes of the events are those that llama.cpp's server (b11549) sends for `POST /v1/chat/completions`.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.fakes.fake_llama_server.options import Options

WORDS = (
    "llama alpaca vicuña path stone río mountain wool snow señal bridge 山 valley wind rope quipu lake ☀ night bell "
    "herd grass pass 🦙 camp fire dawn salt corn hut"
)
VOCABULARY = WORDS.split()


def content_text(content: Any) -> str:
    """The text of a message's content, which may also be a list of parts."""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content or [] if isinstance(part, dict))


def pieces_of(text: str) -> list[str]:
    """Split into tokens: a word with the white space before it."""
    return re.findall(r"\s*\S+|\s+$", text)


def count_prompt(messages: list[dict[str, Any]]) -> int:
    """The number of tokens in a conversation, with a few per message for its template."""
    return sum(len(pieces_of(content_text(message.get("content")))) + 4 for message in messages)


class Answer:
    """What the model has to say to one request."""

    def __init__(self, options: Options, body: dict[str, Any]) -> None:
        switches = options.switches
        messages = list(body.get("messages") or [])
        self.prompt_tokens = count_prompt(messages)
        self.prefix = ""
        if messages and messages[-1].get("role") == "assistant":
            self.prefix = content_text(messages.pop().get("content"))
            # It stands where the template opens the answer anyway.
            self.prompt_tokens = count_prompt(messages) + len(pieces_of(self.prefix))
        text = self._whole_text(options, messages)
        if self.prefix and text.startswith(self.prefix):
            pieces = pieces_of(text[len(self.prefix) :])
        else:
            pieces = pieces_of(text)[len(pieces_of(self.prefix)) :]
        limit = body.get("max_completion_tokens", body.get("max_tokens", body.get("n_predict")))
        self.finish_reason = "stop"
        if isinstance(limit, int) and 0 <= limit < len(pieces):
            pieces, self.finish_reason = pieces[:limit], "length"
        if switches.big_delta_bytes and pieces:
            pieces[0] = "x" * switches.big_delta_bytes
        self.pieces = pieces
        self.thoughts = pieces_of("Let me think about that first.") if switches.think and not self.prefix else []
        self.tool = ""
        if switches.tool_call or body.get("tool_choice") == "required":
            tools = body.get("tools") or [{"function": {"name": "get_weather"}}]
            self.tool = tools[0]["function"]["name"]
            self.finish_reason = "tool_calls"

    def _whole_text(self, options: Options, messages: list[dict[str, Any]]) -> str:
        switches = options.switches
        if switches.reply_file:
            return Path(switches.reply_file).read_text(encoding="utf-8")
        if switches.reply is not None:
            return switches.reply
        seed = zlib.crc32(json.dumps([[m.get("role"), content_text(m.get("content"))] for m in messages]).encode())
        if switches.nondeterministic:
            seed += options.life * 7 + 1
        return " ".join(f"{VOCABULARY[(seed + index * 7) % len(VOCABULARY)]}{index}" for index in range(switches.words))

    @property
    def usage(self) -> dict[str, Any]:
        """Token counts."""
        completion = len(self.pieces) + len(self.thoughts)
        total = self.prompt_tokens + completion
        details = {"cached_tokens": 0}
        return {
            "completion_tokens": completion,
            "prompt_tokens": self.prompt_tokens,
            "total_tokens": total,
            "prompt_tokens_details": details,
        }

    @property
    def message(self) -> dict[str, Any]:
        """The message of an answer that is not streamed; it repeats the prefix."""
        message: dict[str, Any] = {"role": "assistant", "content": self.prefix + "".join(self.pieces)}
        if self.thoughts:
            message["reasoning_content"] = "".join(self.thoughts)
        if self.tool:
            function = {"name": self.tool, "arguments": "".join(TOOL_ARGUMENTS)}
            message |= {"content": None, "tool_calls": [{"type": "function", "id": "call_0", "function": function}]}
        return message

    def deltas(self, prefix_mode: str) -> Iterator[dict[str, Any]]:
        """The deltas of a streamed answer, from the role to the last content."""
        yield {"role": "assistant", "content": None}
        for thought in self.thoughts:
            yield {"reasoning_content": thought}
        if self.tool:
            yield from self._tool_deltas()
            return
        pieces = list(self.pieces)
        if self.prefix and prefix_mode == "repeat":
            pieces[:1] = [self.prefix + "".join(pieces[:1])]
        elif self.prefix and prefix_mode == "alone":
            pieces.insert(0, self.prefix)
        for piece in pieces:
            yield {"content": piece}

    def _tool_deltas(self) -> Iterator[dict[str, Any]]:
        function = {"name": self.tool, "arguments": ""}
        call_id = os.urandom(8).hex()  # random, as llama-server's are
        yield {"tool_calls": [{"index": 0, "id": call_id, "type": "function", "function": function}]}
        for piece in TOOL_ARGUMENTS:
            yield {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}


TOOL_ARGUMENTS = ('{"', "city", '":', '"', "Cusco", '"}')
