"""What is asked of a model, whichever surface it came through."""

from __future__ import annotations

import msgspec

CHAT = "/v1/chat/completions"
COMPLETIONS = "/v1/completions"
EMBEDDINGS = "/v1/embeddings"
RERANK = "/v1/rerank"
TRANSCRIPTIONS = "/v1/audio/transcriptions"


class Form(msgspec.Struct, frozen=True):
    """A body that is no JSON object, as it is sent: of the endpoints that take files or lists."""

    content_type: str
    content: bytes


class InferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a model.

    `model` is the name that the client asked for. `body` is the decoded JSON exactly as the client sent it, unknown
    fields included; `form` takes its place where it is not a JSON object, and a `GET` has neither. `endpoint` is the
    engine's path, with a query where it has one. `keep_alive_s`, where given, counts for this request instead of the
    alias's: idle seconds until unload, negative never; without `may_shorten` only where that is longer. `engine_only`
    are fields that were added to `body` here and that no server elsewhere is sent, as it may be strict.
    """

    model: str
    body: dict[str, object] = {}
    endpoint: str = CHAT
    method: str = "POST"
    form: Form | None = None
    keep_alive_s: float | None = None
    may_shorten: bool = True
    engine_only: frozenset[str] = frozenset()
