"""The gateway's policy: hosts and origins beyond loopback are the user's to list, and listening there needs a key."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence

from llamero.http.policy import LOOPBACK_NAMES, AccessPolicy, digest, host_values, is_loopback
from llamero.models.errors import InvalidRequest
from llamero.models.inference import TRANSCRIPTIONS
from llamero.models.settings import GatewaySettings

logger = logging.getLogger(__name__)


def gateway_policy(
    settings: GatewaySettings, *, port: int, addresses: Sequence[str] = ("127.0.0.1",), key: str | None = None
) -> AccessPolicy:
    """Build the gateway's policy for the port it really has and the `addresses` that its sockets are bound to.

    Raises `InvalidRequest` where an address is not loopback and there is no key.
    """
    key = key.strip() if key else None
    for address in addresses:
        if not key and not is_loopback(address):
            raise InvalidRequest("key_error-required_beyond_loopback", host=address)
    hosts = frozenset(
        host for name in (*LOOPBACK_NAMES, *settings.allowed_hosts) for host in host_values(name.strip().lower(), port)
    )
    return AccessPolicy(
        hosts=hosts,
        own_origins=frozenset(f"http://{host}" for host in hosts),
        listed_origins=frozenset(_real_origins(settings.allowed_origins)),
        key_digest=digest(key) if key else None,
        open_paths=frozenset({"/health"}),
        upload_paths=frozenset({TRANSCRIPTIONS}),
    )


def _real_origins(origins: Iterable[str]) -> Iterable[str]:
    """Keep what names one origin; `*` and `null` name everybody, sandboxed frames and local files included."""
    for origin in origins:
        candidate = origin.strip().rstrip("/").lower()
        if re.fullmatch(r"[a-z][a-z0-9+.-]*://[^\s/*,]+", candidate):
            yield candidate
        else:
            logger.warning("the allowed origin %r does not name one origin and is ignored", origin)
