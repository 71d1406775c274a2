"""What the gateway needs from the services, and nothing else of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from llamero.models.aliases import ListedModel
from llamero.models.inference import InferenceRequest
from llamero.models.llama import ActorSnapshot
from llamero.models.metrics import HardwareMetrics


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


class Models(Protocol):
    """The names that clients may ask for."""

    async def listed(self) -> Sequence[ListedModel]:
        """Every name, once, in the order in which it is listed."""
        ...

    async def find(self, name: str) -> ListedModel:
        """Return what is listed under that name, or raise `ModelNotFound`."""
        ...


class Servers(Protocol):
    """The engines that run on this machine."""

    def status(self) -> ActorSnapshot:
        """How they stand now, for showing."""
        ...

    async def load(self, name: str, keep_alive_s: float | None = None) -> None:
        """Make a model ready, and keep it so for `keep_alive_s` instead of what its alias says.

        Raises ModelNotFound and what ends a start; without effect for a remote model.
        """
        ...

    async def unload(self, name: str) -> None:
        """Stop a model once no request needs it. Raises ModelNotFound; without effect when it does not run."""
        ...


class Hardware(Protocol):
    """The machine as it was last measured."""

    @property
    def latest(self) -> HardwareMetrics | None:
        """The last sample, however old; None before the first."""
        ...
