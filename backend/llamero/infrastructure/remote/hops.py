"""How often a request has been handed on from Llamero to Llamero, so that none goes round in a circle for ever.

Two of them may well ask each other: each is the other's fallback, and the day comes when neither can answer. Each adds
itself to `Via`, the header that exists for finding such loops (RFC 9110, section 7.6.3); what others wrote into it is
not sent on.
"""

from __future__ import annotations

from contextvars import ContextVar

from llamero.models.errors import UpstreamFailed

HEADER = "Via"
MAX_HOPS = 4
_OURS = "1.1 llamero"

# Of the request that is being answered. Tasks that it starts see the same.
_arrived: ContextVar[int] = ContextVar("hops", default=0)


def note_hops(via: str) -> None:
    """Remember how often the request that is now answered has been handed on. `via` is its header, empty where none."""
    _arrived.set(sum(part.strip() == _OURS for part in via.split(",")) if via else 0)


def next_via(host: str) -> str:
    """Return the header for handing the request on to `host`. Raises UpstreamFailed when that was done too often."""
    hops = _arrived.get() + 1
    if hops > MAX_HOPS:
        raise UpstreamFailed("remote_error-circle", host=host)
    return ", ".join([_OURS] * hops)
