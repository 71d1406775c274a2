"""What the gateway needs from the services, and nothing else of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from llamero.models.inference import InferenceRequest
from llamero.models.llama import ModelId


class InferenceReply(Protocol):
    """An open reply of an engine. What it yields is forwarded unchanged.

    `headers` are the engine's, without the hop-by-hop ones. An event stream yields whole events only, so that an
    event of our own can be appended at any time. While iterating, `LlameroError` means that the reply ends here.
    """

    @property
    def status(self) -> int:
        """The engine's HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The engine's headers."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...


class Inference(Protocol):
    """Answers requests with models."""

    def stream(self, request: InferenceRequest) -> AbstractAsyncContextManager[InferenceReply]:
        """Open a reply. Leaving the context, by whatever way, releases the engine; entering raises `LlameroError`."""
        ...


class Catalog(Protocol):
    """The models that clients may name."""

    def models(self) -> Sequence[ModelId]:
        """Every model, in the order in which it is listed."""
        ...

    def find(self, name: str) -> ModelId:
        """Return the model of that name, or raise `ModelNotFound`."""
        ...
