"""Server-sent events, split as they arrive: every whole event once, its bytes unchanged.

Format: WHATWG HTML, section 9.2.6. Lines end in LF, CR or CRLF; an empty line ends an event; `data` lines join with
LF. The splitter never gives out part of an event, so an event of our own can follow at any time. However the stream
was cut, the same events say the same; all `raw` together are the bytes that came in.
"""

from __future__ import annotations

import re

import msgspec

from llamero.models.errors import UpstreamFailed

MAX_EVENT_BYTES = 16 * 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")
_LONGEST_END = 4


class SseEvent(msgspec.Struct, frozen=True):
    """One event. `data` is None for comments and for events that say nothing; `name` is empty unless given."""

    raw: bytes
    data: bytes | None
    name: bytes = b""


class SseSplitter:
    """Feed bytes as they come, get whole events."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0  # before this no end of an event begins

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that `chunk` completes. Raises UpstreamFailed when one grows beyond `MAX_EVENT_BYTES`."""
        if not self._buffer and chunk.endswith(b"\n\n") and b"\r" not in chunk:
            # What arrives nearly always: whole events.
            return [_event(block + b"\n\n") for block in chunk[:-2].split(b"\n\n")]
        self._buffer += chunk
        events: list[SseEvent] = []
        start = 0
        for match in _EVENT_END.finditer(self._buffer, self._searched):
            events.append(_event(bytes(self._buffer[start : match.end()])))
            start = match.end()
        del self._buffer[:start]
        self._searched = max(0, len(self._buffer) - _LONGEST_END + 1)
        if len(self._buffer) > MAX_EVENT_BYTES:
            raise UpstreamFailed(reason=f"an event larger than {MAX_EVENT_BYTES} bytes")
        return events

    def single(self, chunk: bytes) -> bytes | None:
        """The data of the one event that `chunk` is, if it is just that; otherwise `feed` it.

        Nearly everything arrives so. Between two tokens the processor's caches go cold: the less is touched, the
        less it costs.
        """
        if self._buffer or chunk[:6] != b"data: " or chunk[-2:] != b"\n\n":
            return None
        return chunk[6:-2] if chunk.find(b"\n") == len(chunk) - 2 and chunk.find(b"\r") < 0 else None

    def finish(self) -> list[SseEvent]:
        """The stream has ended cleanly: an event without its empty line still counts, as servers forget it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        if not rest.strip(b"\r\n"):
            return [SseEvent(rest, None)] if rest else []  # the second half of a CRLF whose first half ended an event
        return [_event(rest + (b"\n" if rest.endswith((b"\r", b"\n")) else b"\n\n"))]


def _event(raw: bytes) -> SseEvent:
    if raw.startswith(b"data: ") and raw.find(b"\n") == len(raw) - 2 and b"\r" not in raw:
        return SseEvent(raw, raw[6:-2])
    data: list[bytes] = []
    name = b""
    for line in _LINE_END.split(raw):
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return SseEvent(raw, b"\n".join(data) if data else None, name)


def data_event(data: bytes, name: bytes = b"") -> bytes:
    """The bytes of an event; data of several lines becomes several `data` lines. A `name` is one that was read here."""
    named = b"event: " + name + b"\n" if name else b""
    return named + b"".join(b"data: " + line + b"\n" for line in _LINE_END.split(data)) + b"\n"
