"""What of a remote server's event stream is handed on: whole events, and of their names only those of the endpoint.

A name makes a client act, and a hostile or careless server could send one that belongs to another protocol; the data
of such an event passes without its name. A chat is read on the side, so that one that breaks off is not mistaken for
one that is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from llamero.models.chat import StreamChunk
from llamero.models.errors import UpstreamFailed
from llamero.models.inference import CHAT
from llamero.services.llama.answer import DONE_EVENT
from llamero.services.llama.passing import Block
from llamero.services.llama.received import Received
from llamero.services.llama.sse import SseEvent, SseSplitter, data_event

# Sources: the event types of OpenAI's Responses API and of Anthropic's Messages API.
_NAMES: Mapping[str, re.Pattern[bytes]] = {
    "/v1/responses": re.compile(rb"response\.[a-z0-9_.]{1,80}|error"),
    "/v1/messages": re.compile(rb"message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping|error"),
}


class RemoteEvents:
    """The events of one stream. Feed bytes as they come; `finish` when they have ended.

    `broken` is set by the first event that cannot be handed on; what is returned with it came before.
    """

    def __init__(self, endpoint: str, choices_wanted: int = 1) -> None:
        self.broken: UpstreamFailed | None = None
        self._received = Received(choices_wanted=choices_wanted) if endpoint == CHAT else None
        self._names = _NAMES.get(endpoint)
        self._splitter = SseSplitter()

    def feed(self, data: bytes) -> Block:
        """Return what these bytes complete."""
        try:
            events = self._splitter.feed(data)
        except UpstreamFailed as error:
            self.broken = error
            return Block(b"")
        return self._take(events)

    def finish(self) -> Block:
        """Return what is left at the end, the end mark included where the server forgot it."""
        rest = self._take(self._splitter.finish())
        received = self._received
        if received is None or self.broken is not None or received.done or received.failed:
            return rest
        if not received.complete:
            self.broken = UpstreamFailed(reason="the stream ended in the middle")
            return rest
        return Block(rest.raw + DONE_EVENT, rest.chunks)

    def _take(self, events: list[SseEvent]) -> Block:
        raw: list[bytes] = []
        chunks: list[StreamChunk] = []
        for event in events:
            try:
                raw.append(self._take_one(event, chunks))
            except UpstreamFailed as error:
                self.broken = error
                break
        return Block(b"".join(raw), tuple(chunks))

    def _take_one(self, event: SseEvent, chunks: list[StreamChunk]) -> bytes:
        received = self._received
        if received is not None and (received.done or received.failed):
            return b""
        if event.data is None:
            return b"" if event.name else event.raw
        if received is not None:
            chunk = received.add(event.data)
            if chunk is not None:
                chunks.append(chunk)
        is_known = not event.name or (self._names is not None and self._names.fullmatch(event.name) is not None)
        return event.raw if is_known else data_event(event.data)
