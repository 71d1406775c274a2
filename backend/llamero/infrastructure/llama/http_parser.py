"""One HTTP/1.1 reply, from bytes that arrive in whatever pieces. No IO.

The grammar is llhttp's, in its strict form. Added here is what an engine's reply must not do besides: a head, a trailer
or a chunk's extension without end, a transfer coding other than `chunked` (the body would not be what it looks like),
another protocol in the place of HTTP. Invariants: however the bytes were cut, the same reply comes out; body bytes that
came before a fault are given out before it is told; what follows the end of the reply is ignored, as its connection is
used only once. Source: RFC 9112.
"""

from __future__ import annotations

from collections.abc import Callable

import httptools
from multidict import CIMultiDict

from llamero.models.errors import UpstreamFailed

# A head, and whatever else passes without one byte of the body, may be so long.
MAX_FRAMING_BYTES = 64 * 1024
_SWITCHING_PROTOCOLS = 101
_VERSIONS = ("1.0", "1.1")
_WITHOUT_BODY = (204, 304)


class ReplyParser:
    """Feed it the bytes of one reply.

    `status` and `headers` are those of the reply proper (100 to 199 only announce it) and stand once `has_head`;
    `is_whole` once its last byte has come; `problem` once it cannot become whole any more.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.has_head = False
        self.is_whole = False
        self.problem: UpstreamFailed | None = None
        self._until_close = False
        self._framing_bytes = 0
        self._head_bytes = 0
        self._pieces: list[bytes] = []
        # llhttp calls these by their names.
        self.on_body: Callable[[bytes], None] = self._pieces.append
        self._parser = httptools.HttpResponseParser(self)

    def feed(self, data: bytes | memoryview) -> bytes:
        """Return the bytes of the body that are in `data`. Look at `problem` and `is_whole` afterwards."""
        if self.problem is not None or self.is_whole:
            return b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.is_whole:
                self.problem = _broken(error)
        pieces = self._pieces
        if not pieces:
            self._count_framing(len(data))
            return b""
        self._framing_bytes = 0
        body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        return body

    def finish(self) -> None:
        """The connection has ended: the reply is whole now, or never will be."""
        if self._until_close and self.problem is None:
            self.is_whole = True
        if not self.is_whole and self.problem is None:
            self.problem = UpstreamFailed(reason="the connection ended before the reply did")

    def on_message_begin(self) -> None:
        """A reply begins; behind ours there must be no other, and this ends the parsing."""
        if self.is_whole:
            raise ValueError("another reply")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after the body a trailer, which nobody waits for."""
        if self.has_head:
            return
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > MAX_FRAMING_BYTES:
            raise ValueError(f"a head larger than {MAX_FRAMING_BYTES} bytes")
        self.headers.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """A head has ended."""
        if self._parser.get_http_version() not in _VERSIONS:
            raise ValueError("a reply that is not HTTP/1")
        self.status = self._parser.get_status_code()
        if self.status == _SWITCHING_PROTOCOLS:
            raise ValueError("another protocol")
        if self.status < 200:
            self.headers.clear()
            return
        coding = ", ".join(self.headers.getall("Transfer-Encoding", ()))
        if coding and coding.strip().lower() != "chunked":
            raise ValueError("a transfer coding that was not asked for")
        self.has_head = True
        self._until_close = not coding and "Content-Length" not in self.headers and self.status not in _WITHOUT_BODY

    def on_message_complete(self) -> None:
        """The reply has ended, or what announced it."""
        self.is_whole = self.has_head

    def _count_framing(self, size: int) -> None:
        self._framing_bytes += size
        if self._framing_bytes > MAX_FRAMING_BYTES and self.problem is None and not self.is_whole:
            self.problem = UpstreamFailed(reason=f"more than {MAX_FRAMING_BYTES} bytes without any of the body")


def _broken(error: httptools.HttpParserError) -> UpstreamFailed:
    """What llhttp says, or the exception of ours that it only passes on."""
    return UpstreamFailed(reason=f"a reply that is not HTTP: {error.__context__ or error}")
