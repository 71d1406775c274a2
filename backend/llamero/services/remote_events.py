"""What of a remote server's event stream is handed on: whole events, and of their names only those of the endpoint.

A name makes a client act, and a hostile or careless server could send one that belongs to another protocol; the data
of such an event passes without its name. A chat is read on the side, so that one that breaks off is not mistaken for
one that is complete.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from llamero.models.errors import UpstreamFailed
from llamero.models.inference import CHAT, TRANSCRIPTIONS
from llamero.services.llama.answer import DONE_EVENT
from llamero.services.llama.passing import Block, Passing
from llamero.services.llama.received import Received
from llamero.services.llama.sse import SseEvent, SseSplitter, data_event

# Sources: the event types of OpenAI's Responses and Audio APIs and of Anthropic's Messages API.
_NAMES: Mapping[str, re.Pattern[bytes]] = {
    "/v1/responses": re.compile(rb"response\.[a-z0-9_.]{1,80}|error"),
    TRANSCRIPTIONS: re.compile(rb"transcript\.text\.(?:delta|done|segment)"),
    "/v1/messages": re.compile(rb"message_(?:start|delta|stop)|content_block_(?:start|delta|stop)|ping|error"),
}


class ChatEvents:
    """The events of a chat stream. Feed bytes as they come; `finish` when they have ended.

    `broken` is set by the first event that cannot be handed on; what is returned with it came before.
    """

    def __init__(self, choices_wanted: int = 1) -> None:
        self._received = Received(choices_wanted=choices_wanted)
        self._passing = Passing(self._received, is_read=True)
        self._breaks_off = False

    @property
    def broken(self) -> UpstreamFailed | None:
        """Why no more is handed on."""
        return UpstreamFailed(reason="the stream ended in the middle") if self._breaks_off else self._passing.problem

    def feed(self, data: bytes) -> Block:
        """Return what these bytes complete."""
        return self._passing.take(data)

    def finish(self) -> Block:
        """Return what is left at the end, the end mark included where the server forgot it."""
        rest, received = self._passing.finish(), self._received
        if self.broken is not None or received.done or received.failed:
            return rest
        self._breaks_off = not received.complete
        return rest if self._breaks_off else Block(rest.raw + DONE_EVENT, rest.chunks)


class NamedEvents:
    """The events of any other stream, as `ChatEvents`; only the names of the endpoint's own protocol pass."""

    def __init__(self, endpoint: str) -> None:
        self.broken: UpstreamFailed | None = None
        self._names = _NAMES.get(endpoint)
        self._splitter = SseSplitter()

    def feed(self, data: bytes) -> Block:
        """Return what these bytes complete."""
        try:
            return self._take(self._splitter.feed(data))
        except UpstreamFailed as error:
            self.broken = error
            return Block(b"")

    def finish(self) -> Block:
        """Return what is left at the end."""
        return self._take(self._splitter.finish())

    def _take(self, events: list[SseEvent]) -> Block:
        return Block(b"".join([self._allowed(event) for event in events]))

    def _allowed(self, event: SseEvent) -> bytes:
        if not event.name or (self._names is not None and self._names.fullmatch(event.name)):
            return event.raw
        return b"" if event.data is None else data_event(event.data)


def remote_events(endpoint: str, choices_wanted: int = 1) -> ChatEvents | NamedEvents:
    """Return what reads the stream of this endpoint."""
    return ChatEvents(choices_wanted) if endpoint == CHAT else NamedEvents(endpoint)
