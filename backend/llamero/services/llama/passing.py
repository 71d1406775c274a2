"""What of one connection's events is given out, counted on the way: the same for whoever reads the answer.

Invariants: only whole events are given out; nothing that was given out comes twice; what is given out is counted in
`Received` in the same step, so that at any moment a recovery knows what the client has.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from llamero.models.chat import StreamChunk
from llamero.models.errors import UpstreamFailed
from llamero.services.inspection.events import EVENT_COST, KeptEvents
from llamero.services.inspection.recording_sink import RecordingSink
from llamero.services.llama.protocols import Sink
from llamero.services.llama.received import DONE, Received
from llamero.services.llama.recovery import AlreadySent
from llamero.services.llama.sse import SseEvent, SseSplitter, data_event

# What llama-server sends before the first word of a completion of several prompts. It trips clients that read chunks.
NOTHING = b"null"


class Block(msgspec.Struct, frozen=True):
    """Some whole events: their bytes, and what they say."""

    raw: bytes
    chunks: tuple[StreamChunk, ...] = ()


class Passing:
    """The events of one connection. `sent` is taken out of a stream that started again.

    `is_read`: they are chunks, which a recovery knows how to read; otherwise events pass unread, named as in `names`.
    `rename` gives them the name that the client knows the model by. `problem` is set by the first event that must not
    be given out; what is returned with it came before.
    """

    def __init__(
        self,
        received: Received,
        *,
        is_read: bool,
        names: frozenset[bytes] = frozenset(),
        rename: Callable[[bytes], bytes] | None = None,
        sent: AlreadySent | None = None,
    ) -> None:
        self.problem: UpstreamFailed | None = None
        self._received = received
        self._is_read = is_read
        self._names = names
        self._rename = rename
        self._sent = sent
        self._passes_as_is = is_read and rename is None and sent is None
        self._splitter = SseSplitter()

    def counts_single(self, data: bytes) -> bool:
        """Count what nearly always arrives: one event that passes as it is. False: `take` it.

        Raises UpstreamFailed for one that must not be given out.
        """
        received = self._received
        if not self._passes_as_is or received.done or received.failed:
            return False
        single = self._splitter.single(data)
        if single is None or single == NOTHING:
            return False
        received.add(single)
        return True

    def take(self, data: bytes) -> Block:
        """Count the events that these bytes complete, and return what to give out. Look at `problem` afterwards."""
        try:
            events = self._splitter.feed(data)
        except UpstreamFailed as error:
            self.problem = error
            return Block(b"")
        return self._take(events)

    def finish(self) -> Block:
        """The same for what is left when the stream has ended cleanly."""
        return self._take(self._splitter.finish())

    def _take(self, events: list[SseEvent]) -> Block:
        raw: list[bytes] = []
        chunks: list[StreamChunk] = []
        try:
            for event in events:
                self._take_one(event, raw, chunks)
        except UpstreamFailed as error:
            self.problem = error
        return Block(b"".join(raw), tuple(chunks))

    def _take_one(self, event: SseEvent, raw: list[bytes], chunks: list[StreamChunk]) -> None:
        """Event names that the stream does not have are dropped: a client may act on one that a model made up."""
        received, data = self._received, event.data
        if data is not None and self._rename is not None:
            data = self._rename(data)
            event = SseEvent(data_event(data, event.name), data, event.name)  # an id has no meaning in these streams
        if not self._is_read:
            received.opaque = True
            if not event.name or event.name in self._names:
                raw.append(event.raw)
            elif data is not None:
                raw.append(data_event(data))
        elif received.done or received.failed:
            return
        elif data is None:
            if not event.name:
                raw.append(event.raw)
        elif data == NOTHING:
            return
        elif self._sent is not None and data != DONE:
            rest = self._sent.rest_of(data)
            if rest is not None:
                self._give_out(rest, data_event(rest), raw, chunks)
        else:
            self._give_out(data, data_event(data) if event.name else event.raw, raw, chunks)

    def _give_out(self, data: bytes, event: bytes, raw: list[bytes], chunks: list[StreamChunk]) -> None:
        chunk = self._received.add(data)
        if chunk is not None:
            chunks.append(chunk)
        raw.append(event)


class PassingSink:
    """Passes the bytes of one connection on to the reader's own sink.

    It is called for every token, and what is to be recorded of one is done in the same call, as `KeptEvents` has it.
    """

    def __init__(self, passing: Passing, reader: Sink) -> None:
        self._passing = passing
        self._events: KeptEvents | None = None
        if isinstance(reader, RecordingSink):
            self._events, reader = reader.events, reader.sink
        self._write = reader.write
        self.drained = reader.drained

    def write(self, data: bytes) -> bool:
        """Hand on what of these bytes is to be given out. Raises UpstreamFailed where the connection is to be left."""
        passing = self._passing
        events = self._events
        if passing.counts_single(data):
            if events is not None:
                room = events.room - len(data) - EVENT_COST
                if room >= 0:
                    events.room = room
                    said, marks = events.said, events.marks
                    said += data
                    marks.append(events.now())
                    marks.append(len(said))
                elif events.passing is not None:
                    events.passing.append(data)
                else:
                    events.add(data)
            return self._write(data)
        raw = passing.take(data).raw
        if raw and events is not None:
            events.add(raw)
        has_room = self._write(raw) if raw else True
        if passing.problem is not None:
            raise passing.problem
        return has_room
