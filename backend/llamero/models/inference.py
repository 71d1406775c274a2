"""What is asked of a model, whichever surface it came through."""

from __future__ import annotations

import msgspec

from llamero.models.llama import ModelId


class InferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an engine.

    `body` is the decoded JSON exactly as the client sent it, unknown fields included; `endpoint` is the engine's path.
    """

    model: ModelId
    body: dict[str, object]
    endpoint: str = "/v1/chat/completions"
