"""How much one client of the gateway may ask for."""

from __future__ import annotations

from llamero.http.limits import MEBIBYTE
from llamero.http.limits import Limits as HttpLimits
from llamero.models.settings import GatewaySettings


class Limits(HttpLimits, frozen=True, kw_only=True):
    """As for every surface, and `max_streams`: requests that occupy an engine at once.

    `silence_s`: how long a client that waits for events hears nothing, before a comment tells it that they will come.
    """

    max_streams: int = 256
    silence_s: float = 10.0

    @classmethod
    def from_settings(cls, settings: GatewaySettings) -> Limits:
        """Take what the user can set from the settings."""
        return cls(max_body_bytes=settings.max_body_mb * MEBIBYTE, max_streams=settings.max_streams)
