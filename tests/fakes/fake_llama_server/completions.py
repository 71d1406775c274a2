"""Completions of a prompt: `/v1/completions` with choices, `/completion` and `/infill` with the engine's flat events.

What the fake writes depends on the first line of the prompt alone; what follows that line is taken for the beginning of
the answer. So a prompt with half an answer behind it gets the other half, as from a real model at temperature 0.
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

from tests.fakes.fake_llama_server.answers import VOCABULARY, pieces_of
from tests.fakes.fake_llama_server.options import Options


class Completion:
    """What the model writes behind one prompt."""

    def __init__(self, options: Options, body: dict[str, Any], prompt: Any, index: int = 0) -> None:
        switches = options.switches
        question, _, begun = (prompt if isinstance(prompt, str) else json.dumps(prompt)).partition("\n")
        seed = zlib.crc32(f"{question}{index}".encode())
        if switches.nondeterministic:
            seed += options.life * 7 + 1
        words = [f"{VOCABULARY[(seed + place * 7) % len(VOCABULARY)]}{place}" for place in range(switches.words)]
        text = " ".join(words)
        pieces = pieces_of(text.removeprefix(begun) if text.startswith(begun) else text)
        limit = body.get("max_tokens", body.get("n_predict"))
        self.stop_type, self.finish_reason = "eos", "stop"
        if isinstance(limit, int) and 0 <= limit < len(pieces):
            pieces, self.stop_type, self.finish_reason = pieces[:limit], "limit", "length"
        self.index = index
        self.pieces = pieces
        self.prompt_tokens = len(pieces_of(question)) + len(pieces_of(begun))

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def usage(self) -> dict[str, int]:
        """Token counts."""
        counts = {"prompt_tokens": self.prompt_tokens, "completion_tokens": len(self.pieces)}
        return {**counts, "total_tokens": self.prompt_tokens + len(self.pieces)}


def completions(options: Options, body: dict[str, Any]) -> list[Completion]:
    """One for each prompt: of a list all are prompts, unless there are tokens among them."""
    prompt = body.get("prompt", body.get("input_prefix", ""))
    several = isinstance(prompt, list) and not any(isinstance(item, int) for item in prompt)
    return [Completion(options, body, one, index) for index, one in enumerate(prompt if several else [prompt])]


def text_events(answers: list[Completion], identity: dict[str, Any]) -> Iterator[tuple[dict[str, Any], int]]:
    """The events of `/v1/completions`, each with the number of tokens so far, the prompts' answers side by side."""

    def chunk(answer: Completion, text: str, finish: str | None = None, **more: Any) -> dict[str, Any]:
        choice = {"text": text, "index": answer.index, "logprobs": None, "finish_reason": finish}
        return {"choices": [choice], **identity, "object": "text_completion", **more}

    for place in range(max(len(answer.pieces) for answer in answers)):
        for answer in answers:
            if place < len(answer.pieces):
                yield chunk(answer, answer.pieces[place]), place + 1
    for answer in answers:
        yield chunk(answer, "", answer.finish_reason, usage=answer.usage), 0


def flat_events(answers: list[Completion], model: str) -> Iterator[tuple[dict[str, Any], int]]:
    """The events of `/completion` and `/infill`."""
    for answer in answers:
        for place, piece in enumerate(answer.pieces):
            yield (
                {"index": answer.index, "content": piece, "tokens": [zlib.crc32(piece.encode())], "stop": False},
                (place + 1),
            )
    for answer in answers:
        yield flat_whole(answer, model) | {"content": ""}, 0


def text_whole(answers: list[Completion], model: str, number: int) -> dict[str, Any]:
    """The answer of `/v1/completions` that is not streamed."""
    choices = [
        {"text": answer.text, "index": answer.index, "logprobs": None, "finish_reason": answer.finish_reason}
        for answer in answers
    ]
    identity = {"id": f"chatcmpl-{number}", "created": int(time.time()), "model": model}
    return {"choices": choices, "object": "text_completion", "usage": answers[0].usage, **identity}


def flat_whole(answer: Completion, model: str) -> dict[str, Any]:
    """The answer of `/completion` and `/infill` that is not streamed, of one prompt."""
    counts = {"tokens_predicted": len(answer.pieces), "tokens_evaluated": answer.prompt_tokens}
    return {
        "index": answer.index,
        "content": answer.text,
        "tokens": [],
        "stop": True,
        "model": model,
        **counts,
        "stop_type": answer.stop_type,
    }
