"""Server-sent events, split as they arrive: every whole event once, its bytes unchanged.

Format: WHATWG HTML, section 9.2.6. Lines end in LF, CR or CRLF; an empty line ends an event; `data` lines join with
LF. The splitter never gives out part of an event, so an event of our own can follow at any time.
"""

from __future__ import annotations

import re

import msgspec

from llamero.models.errors import UpstreamFailed

MAX_EVENT_BYTES = 16 * 1024 * 1024
_LINE_END = re.compile(rb"\r\n|\n|\r")
_EVENT_END = re.compile(rb"(?:\r\n|\n|\r(?!\n)){2}")


class SseEvent(msgspec.Struct, frozen=True):
    """One event. `data` is None for comments and for events that say nothing; `name` is empty unless given."""

    raw: bytes
    data: bytes | None
    name: bytes = b""


class SseSplitter:
    """Feed bytes as they come, get whole events."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """The events that `chunk` completes. Raises UpstreamFailed when one grows beyond `MAX_EVENT_BYTES`."""
        buffer = self._rest + chunk if self._rest else chunk
        if b"\r" in buffer:
            events = self._split_any(buffer)
        else:
            *blocks, self._rest = buffer.split(b"\n\n")
            events = [_event(block + b"\n\n") for block in blocks]
        if len(self._rest) > MAX_EVENT_BYTES:
            raise UpstreamFailed(reason=f"an event larger than {MAX_EVENT_BYTES} bytes")
        return events

    def finish(self) -> list[SseEvent]:
        """The stream has ended cleanly: an event without its empty line still counts, as servers forget it."""
        rest, self._rest = self._rest, b""
        return [_event(rest + b"\n\n")] if rest.strip() else []

    def _split_any(self, buffer: bytes) -> list[SseEvent]:
        events, start = [], 0
        for match in _EVENT_END.finditer(buffer):
            events.append(_event(buffer[start : match.end()]))
            start = match.end()
        self._rest = buffer[start:]
        return events


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


def data_event(data: bytes) -> bytes:
    """The bytes of an unnamed event; data of several lines becomes several `data` lines."""
    return b"".join(b"data: " + line + b"\n" for line in _LINE_END.split(data)) + b"\n"
