"""A sink that keeps what is written to it."""

from __future__ import annotations

from llamero.services.inspection.events import KeptEvents
from llamero.services.llama.protocols import Sink


class RecordingSink:
    """Keeps in `events` what is written to `sink`.

    Whoever writes for every token may spare it the call, and do in place what `KeptEvents` lets others do.
    """

    def __init__(self, sink: Sink, events: KeptEvents) -> None:
        self.sink = sink
        self.events = events
        self.drained = sink.drained

    def write(self, data: bytes) -> bool:
        """As the sink's own."""
        self.events.add(data)
        return self.sink.write(data)
