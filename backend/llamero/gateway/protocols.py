"""What the gateway needs from the services, and nothing else of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from llamero.models.aliases import ListedModel
from llamero.models.chat import Timings, TokenCounts
from llamero.models.gguf import ModelFileFacts
from llamero.models.inference import InferenceRequest
from llamero.models.llama import ActorSnapshot
from llamero.models.metrics import HardwareMetrics
from llamero.models.responses import Item, ItemPage, Response
from llamero.services.server_metrics import Readings


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


class Sink(Protocol):
    """Takes bytes as they arrive, called from the event loop."""

    def write(self, data: bytes) -> bool:
        """Take these, whatever the room. False: there are no more before `drained` has returned."""
        ...

    async def drained(self) -> None:
        """Wait until there is room."""
        ...


class PouringReply(InferenceReply, Protocol):
    """A reply that can push what arrives, which spares a turn of the event loop for every token."""

    async def pour(self, sink: Sink) -> None:
        """The same as iterating, into `sink`. Raises what iterating raises, and what `sink` raises."""
        ...


def pouring(reply: InferenceReply | PouringReply) -> Callable[[Sink], Awaitable[None]] | None:
    """The `pour` of a reply that has one. An `isinstance` with a protocol would cost a tenth of the request."""
    return getattr(reply, "pour", None)


class CountedReply(InferenceReply, Protocol):
    """A reply whose tokens are known, when it has ended at the latest."""

    @property
    def tokens(self) -> TokenCounts:
        """How many there were."""
        ...


def tokens_of(reply: InferenceReply | CountedReply) -> TokenCounts | None:
    """The tokens of a reply that counts them."""
    return getattr(reply, "tokens", None)


def timings_of(reply: InferenceReply) -> Timings | None:
    """The engine's own clock for a reply that tells it, when it has ended at the latest."""
    timings: Timings | None = getattr(reply, "timings", None)
    return timings


def recoveries_of(reply: InferenceReply) -> tuple[int, int]:
    """How often another server took over: by continuing, and by replaying. A reply that is not healed has none."""
    return getattr(reply, "continuations", 0), getattr(reply, "replays", 0)


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


class ModelFiles(Protocol):
    """What the files of models say about themselves."""

    async def facts(self, paths: Iterable[str]) -> Mapping[str, ModelFileFacts]:
        """Return the facts by path. A path that leads to no file is left out."""
        ...


class Servers(Protocol):
    """The engines that run on this machine."""

    def status(self) -> ActorSnapshot:
        """How they stand now, for showing."""
        ...

    async def runs(self, name: str) -> bool:
        """Does a server run, or start, that does for this name? Raises ModelNotFound. False for a remote model."""
        ...

    async def load(self, name: str, keep_alive_s: float | None = None, *, may_shorten: bool = True) -> None:
        """Make a model ready, and keep it so for `keep_alive_s` instead of what its alias says, or if that is longer.

        Raises ModelNotFound and what ends a start; without effect for a remote model.
        """
        ...

    async def unload(self, name: str) -> None:
        """Stop a model once no request needs it. Raises ModelNotFound; without effect when it does not run."""
        ...


class Hardware(Protocol):
    """The machine as it was last measured. Nothing here asks a sensor."""

    @property
    def latest(self) -> HardwareMetrics | None:
        """The last sample, however old; None before the first."""
        ...

    @property
    def latest_readings(self) -> Readings:
        """What engines cost and did at that sample, whoever asked them."""
        ...


class Responses(Protocol):
    """What is kept of responses. Every method raises IoFailed when it cannot be read or written."""

    async def begin(self, response: Response, items: Sequence[Item]) -> None:
        """Keep a response that begins, with what was put in."""
        ...

    async def update(self, response: Response, events: Sequence[bytes] = ()) -> None:
        """Keep how a response stands now or has ended, and the events of its stream if they may be asked for."""
        ...

    async def find(self, id: str) -> Response:
        """A response with its output. Raises NotFound."""
        ...

    async def delete(self, id: str) -> None:
        """Forget a response for good. Raises NotFound."""
        ...

    async def events(self, id: str) -> Sequence[bytes]:
        """The events of a stream that has ended. Raises NotFound, and InvalidRequest where they were not kept."""
        ...

    async def conversation(self, items: Sequence[Item], previous_id: str | None) -> Sequence[Item]:
        """All turns up to `previous_id` and these items. Raises PreviousResponseNotFound, Conflict or NotFound."""
        ...

    async def input_items(self, id: str, *, limit: int, newest_first: bool, after: str | None) -> ItemPage:
        """What was put in, `limit` items of it behind the item `after`. Raises NotFound, and InvalidRequest."""
        ...
