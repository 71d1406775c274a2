"""A reply that records itself on its way to whoever reads it, pulled or pushed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from llamero.models.chat import TokenCounts
from llamero.models.inference import InferenceRequest
from llamero.services.inspection.recording_sink import RecordingSink
from llamero.services.inspection.trace import Trace
from llamero.services.llama.passing import Block
from llamero.services.llama.protocols import Sink
from llamero.services.replies import OpenReply, is_event_stream

Pour = Callable[[Sink], Awaitable[None]]
_UNRECORDED = nullcontext()


def recorded(reply: OpenReply, trace: Trace | None) -> OpenReply:
    """Return the reply so that the trace hears what it says; one that can be pushed still can."""
    if trace is None:
        return reply
    trace.is_streamed = is_event_stream(reply)
    pour: Pour | None = getattr(reply, "pour", None)
    return RecordedReply(reply, trace) if pour is None else PouringRecordedReply(reply, trace, pour)


def recording(trace: Trace | None, request: InferenceRequest) -> AbstractContextManager[None]:
    """Record a request to a model for as long as this lasts."""
    return _UNRECORDED if trace is None else _recording(trace, request)


def counting(reply: OpenReply, trace: Trace | None) -> AbstractContextManager[None]:
    """Take over the reply's status, and at the end how many tokens there were, where it counts them."""
    return _UNRECORDED if trace is None else _counting(reply, trace)


@contextmanager
def _recording(trace: Trace, request: InferenceRequest) -> Iterator[None]:
    with trace.held():
        trace.ask(request)
        yield


@contextmanager
def _counting(reply: OpenReply, trace: Trace) -> Iterator[None]:
    trace.respond(reply.status)
    try:
        yield
    finally:
        counted: TokenCounts | None = getattr(reply, "tokens", None)
        if counted is not None and (counted.prompt or counted.generated):
            trace.tokens = counted


class RecordedReply:
    """An open reply, as `services.replies.OpenReply`."""

    def __init__(self, reply: OpenReply, trace: Trace) -> None:
        self._reply = reply
        self._trace = trace

    @property
    def status(self) -> int:
        """As in `OpenReply`."""
        return self._reply.status

    @property
    def headers(self) -> Mapping[str, str]:
        """As in `OpenReply`."""
        return self._reply.headers

    @property
    def on_recovery(self) -> Callable[[], None]:
        """As in `OpenReply`."""
        return self._reply.on_recovery

    @on_recovery.setter
    def on_recovery(self, told: Callable[[], None]) -> None:
        self._reply.on_recovery = told

    @property
    def tokens(self) -> TokenCounts | None:
        """How many there were, where the reply counts them."""
        return getattr(self._reply, "tokens", None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        add = self._trace.add
        async for data in self._reply:
            add(data)
            yield data

    async def blocks(self) -> AsyncIterator[Block]:
        """As in `OpenReply`."""
        add = self._trace.add
        async for block in self._reply.blocks():
            add(block.raw)
            yield block


class PouringRecordedReply(RecordedReply):
    """One that can push what arrives."""

    def __init__(self, reply: OpenReply, trace: Trace, pour: Pour) -> None:
        super().__init__(reply, trace)
        self._pour = pour

    async def pour(self, sink: Sink) -> None:
        """The same as iterating, into `sink`. Raises what iterating raises, and what `sink` raises."""
        await self._pour(RecordingSink(sink, self._trace.events))
