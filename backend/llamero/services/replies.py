"""What comes of a request, whichever model answers: one on this machine, one elsewhere, or the first that works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Protocol

from llamero.services.llama.passing import Block

EVENT_STREAM = "text/event-stream"


class OpenReply(Protocol):
    """An open reply. Iterate for its bytes, or over `blocks` for the same with what they say; once, and one of them.

    An event stream comes in whole events; any reply other than a 2xx is one block. While iterating, `LlameroError`
    means that the reply ends here.
    """

    on_recovery: Callable[[], None]
    """Called when another server begins to take over in mid-answer, with the pause still to come."""

    @property
    def status(self) -> int:
        """The HTTP status of the one who answers."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the one who answers, without those of the connection."""
        ...

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def blocks(self) -> AsyncIterator[Block]:
        """The reply in pieces, each with the chat chunks in it."""
        ...


def media_type(headers: Mapping[str, str]) -> str:
    """Return the type of a reply's body, in lower case and without parameters; empty where it is not said."""
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    return kind.partition(";")[0].strip().lower()


def is_event_stream(reply: OpenReply) -> bool:
    """Is it an answer that comes in events?"""
    return 200 <= reply.status < 300 and media_type(reply.headers) == EVENT_STREAM
