"""What those that a request passes say about it. Each costs nothing but a look where nobody wants to know."""

from __future__ import annotations

from llamero.models.aliases import LocalDestination, RemoteDestination
from llamero.models.errors import LlameroError
from llamero.models.inspector import PhaseKind
from llamero.services.inspection.trace import current_trace


def note_destination(destination: LocalDestination | RemoteDestination) -> None:
    """This model is asked."""
    if (trace := current_trace()) is not None:
        trace.go_to(destination)


def note_fallback(why: str) -> None:
    """It does not answer, for this reason."""
    if (trace := current_trace()) is not None:
        trace.fall_back(why)


def note_waiting() -> None:
    """The request waits for a server."""
    if (trace := current_trace()) is not None:
        trace.enter(PhaseKind.QUEUE)


def note_granted(load: tuple[float, float] | None) -> None:
    """It has one, which was loaded from and to these monotonic times."""
    if (trace := current_trace()) is not None:
        trace.be_granted(load)


def note_sent(endpoint: str, method: str, content: bytes | None, content_type: str) -> None:
    """This was sent to the model."""
    if (trace := current_trace()) is not None:
        trace.send(endpoint, method, content, content_type)


def note_recovery() -> None:
    """The server died in mid-answer."""
    if (trace := current_trace()) is not None:
        trace.recover()


def note_failure(error: LlameroError) -> None:
    """The client is told this error in the middle of a stream."""
    if (trace := current_trace()) is not None:
        trace.fail(error)
