"""What an engine is asked, and what its endpoint makes of the reply: how it is read, healed and ended."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping

import msgspec

from llamero.models.inference import CHAT, COMPLETIONS, TRANSCRIPTIONS, Form

# Their streams are chunks, which are read on the side, so that another server can take over.
_READ = frozenset({CHAT, COMPLETIONS, "/completion", "/infill"})
_ENDS_WITH_DONE = frozenset({CHAT, COMPLETIONS})
_NAMES: Mapping[str, frozenset[bytes]] = {
    TRANSCRIPTIONS: frozenset({b"transcript.text.delta", b"transcript.text.done", b"transcript.text.segment"}),
}
_RANDOM_SEEDS = (None, -1, 2**32 - 1)  # llama.cpp: LLAMA_DEFAULT_SEED
# Within a JSON string the quotes are escaped, so this is never part of a text.
_MODEL = re.compile(rb'"model":\s*"(?:[^"\\]|\\.)*"')


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request as an engine gets it. `endpoint` has its query; of `body` and `form` one is sent, by a `GET` none."""

    endpoint: str
    body: dict[str, object] = {}
    method: str = "POST"
    form: Form | None = None

    @property
    def is_read(self) -> bool:
        """Are its events chunks, which a recovery knows how to read?"""
        return self.endpoint in _READ

    @property
    def ends_with_done(self) -> bool:
        """Does its stream end with `[DONE]`?"""
        return self.endpoint in _ENDS_WITH_DONE

    @property
    def event_names(self) -> frozenset[bytes]:
        """The names that its events have."""
        return _NAMES.get(self.endpoint, frozenset())

    @property
    def choices(self) -> int:
        """How many answers are wanted: one for each prompt, or several."""
        wanted = next((n for name in ("n", "n_cmpl") if isinstance(n := self.body.get(name), int)), 1)
        return max(1, wanted) * (1 if self.endpoint == CHAT else _prompts(self.body.get("prompt")))

    def repeatable(self) -> Question:
        """The question with a seed of its own, so that a replay says the same."""
        if self.is_read and self.body.get("stream") and self.body.get("seed") in _RANDOM_SEEDS:
            return msgspec.structs.replace(self, body={**self.body, "seed": random.getrandbits(31)})
        return self

    def content(self, body: dict[str, object]) -> tuple[bytes | None, str]:
        """What is sent, `body` in the place of its own, and of which type it is."""
        if self.method == "GET":
            return None, ""
        if self.form is not None:
            return self.form.content, self.form.content_type
        return msgspec.json.encode(body), "application/json"


def renaming(name: str) -> Callable[[bytes], bytes]:
    """Returns what gives a JSON document another model name, wherever one is told."""
    told = b'"model":' + msgspec.json.encode(name)
    return lambda document: _MODEL.sub(lambda _: told, document)


def _prompts(prompt: object) -> int:
    """llama-server: a list with tokens in it is one prompt, any other list is several."""
    if not isinstance(prompt, list) or any(isinstance(item, int) for item in prompt):
        return 1
    return max(1, len(prompt))
