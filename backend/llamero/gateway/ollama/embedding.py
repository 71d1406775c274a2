"""Embeddings in Ollama's two forms, from the one that engines have."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from llamero.gateway.chat_stream import refused
from llamero.gateway.protocols import Inference
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import EMBEDDINGS, InferenceRequest


class _Vector(msgspec.Struct, frozen=True):
    embedding: tuple[float, ...]
    index: int


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0


class Embedded(msgspec.Struct, frozen=True):
    """An engine's answer: a vector for each text, by its place, and the tokens of all of them."""

    data: tuple[_Vector, ...]
    usage: _Usage = _Usage()

    @property
    def vectors(self) -> list[Sequence[float]]:
        """The vectors in the order of the texts."""
        return [vector.embedding for vector in sorted(self.data, key=lambda vector: vector.index)]


def embed_request(model: str, texts: Sequence[str], dimensions: int | None = None) -> InferenceRequest:
    """The request for the vectors of these texts."""
    body: dict[str, object] = {"model": model, "input": list(texts), "encoding_format": "float"}
    if dimensions is not None:
        body["dimensions"] = dimensions
    return InferenceRequest(model=model, body=body, endpoint=EMBEDDINGS)


async def embed(inference: Inference, request: InferenceRequest, count: int) -> Embedded:
    """Embed `count` texts. Raises ModelDoesNotEmbed, what the engine refuses with, and UpstreamFailed."""
    async with inference.stream(request) as reply:
        if reply.status != 200:
            raise await refused(reply)
        document = b"".join([piece async for piece in reply])
    try:
        embedded = msgspec.json.decode(document, type=Embedded)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UpstreamFailed(reason=f"no embeddings came, but something else: {error}") from error
    if len(embedded.data) != count:
        raise UpstreamFailed(reason=f"{len(embedded.data)} embeddings came for {count} texts")
    return embedded
