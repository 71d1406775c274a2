"""The gateway's policy: hosts and origins beyond loopback are the user's to list, and listening there needs a key."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Sequence

from llamero.http.policy import LOOPBACK_NAMES, AccessPolicy, host_values, is_loopback
from llamero.models.errors import InvalidRequest
from llamero.models.inference import TRANSCRIPTIONS
from llamero.models.settings import GatewaySettings

logger = logging.getLogger(__name__)


def check_keyed(addresses: Sequence[str], *, keyed: bool) -> None:
    """Raise `InvalidRequest` where an address is not loopback and there is no key that would let anybody in."""
    for address in addresses:
        if not keyed and not is_loopback(address):
            raise InvalidRequest("key_error-required_beyond_loopback", host=address)


def gateway_policy(settings: GatewaySettings, *, port: int, ollama_port: int | None = None) -> AccessPolicy:
    """Build the gateway's policy for the ports that it really has."""
    names = (*LOOPBACK_NAMES, *(name.strip().lower() for name in settings.allowed_hosts))
    ports = (port,) if ollama_port is None else (port, ollama_port)
    hosts = frozenset(host for name in names for port in ports for host in host_values(name, port))
    return AccessPolicy(
        hosts=hosts,
        own_origins=frozenset(f"http://{host}" for host in hosts),
        listed_origins=frozenset(_real_origins(settings.allowed_origins)),
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
